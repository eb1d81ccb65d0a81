// Learning curves: linear or logarithmic, and the values where the pointer is.

const AXES = { updates: 1, elapsed_s: 2 }; // where an epoch's row holds what a chart has across

const figures = (value) => (value === null ? '–' : value.toFixed(2).replace('-', '−'));

class Curves {
  constructor(part) {
    this.part = part;
    this.runs = JSON.parse(part.querySelector('script[type="application/json"]').textContent);
    this.charts = [...part.querySelectorAll('.chart')];
    const toggle = part.querySelector('.log');
    if (toggle) toggle.addEventListener('click', () => this.change(toggle));
    for (const chart of this.charts) this.follow(chart);
  }

  change(toggle) {
    const log = toggle.getAttribute('aria-pressed') !== 'true';
    toggle.setAttribute('aria-pressed', String(log));
    for (const picture of this.part.querySelectorAll('.chart svg')) {
      picture.toggleAttribute('hidden', picture.classList.contains('logarithmic') !== log);
    }
  }

  follow(chart) {
    const tip = make('div', { className: 'tip', hidden: true });
    chart.append(tip);
    const away = () => {
      tip.hidden = true;
      for (const cursor of chart.querySelectorAll('.cursor')) cursor.setAttribute('visibility', 'hidden');
    };
    chart.addEventListener('pointermove', (event) => this.point(chart, tip, event));
    chart.addEventListener('pointerdown', (event) => this.point(chart, tip, event));
    chart.addEventListener('pointerleave', away);
  }

  point(chart, tip, event) {
    const picture = chart.querySelector('svg:not([hidden])');
    const box = picture.getBoundingClientRect();
    const wide = picture.viewBox.baseVal.width;
    const left = Number(picture.dataset.left);
    const right = Number(picture.dataset.right);
    const x = Math.max(left, Math.min(right, ((event.clientX - box.left) / box.width) * wide));
    const across = ((x - left) / (right - left)) * Number(picture.dataset.most);
    const cursor = picture.querySelector('.cursor');
    cursor.setAttribute('x1', x);
    cursor.setAttribute('x2', x);
    cursor.setAttribute('visibility', 'visible');
    const column = AXES[chart.dataset.across];
    tip.replaceChildren(...this.runs.map((run) => {
      const epoch = run.epochs.reduce((best, one) => (
        Math.abs(one[column] - across) < Math.abs(best[column] - across) ? one : best
      ));
      return make(
        'div',
        { className: run.unit },
        make('span', { className: 'sign' }, run.sign),
        ' ',
        make('span', { className: 'label' }, run.label),
        ' ',
        make('b', {}, figures(epoch[4])),
        ` valid, ${figures(epoch[3])} train, epoch ${epoch[0]}`,
      );
    }));
    tip.hidden = false;
    // On the side of the chart where the pointer is not.
    const onRight = x < wide / 2;
    tip.style.left = onRight ? 'auto' : `${(100 * left) / wide}%`;
    tip.style.right = onRight ? `${100 - (100 * right) / wide}%` : 'auto';
  }
}

for (const part of document.querySelectorAll('.curves')) new Curves(part);

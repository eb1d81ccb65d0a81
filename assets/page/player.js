// The listening part: rows of clips over one time axis.

document.documentElement.classList.add('js');

const make = (name, properties = {}, ...content) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...content);
  return element;
};

// What the page says for the scripts; taken out of the document, so that no name is left in it during a blind test.
const told = (section) => {
  const block = section.querySelector('script[type="application/json"]');
  block.remove();
  return JSON.parse(block.textContent);
};

// Takes what names the clips elsewhere on the page out of the document; gives what brings it back.
const hideNames = () => {
  const { title } = document;
  document.title = 'Blind test';
  const hidden = [...document.querySelectorAll('.names')].map((element) => {
    const place = document.createComment('');
    element.replaceWith(place);
    return () => place.replaceWith(element);
  });
  return () => {
    document.title = title;
    for (const back of hidden) back();
  };
};

class Player {
  constructor(section) {
    this.section = section;
    this.about = told(section);
    this.rows = [...section.querySelectorAll('.clip')];
    this.list = section.querySelector('.clips');
    this.view = 0;
    this.test = null;
    this.deck = new Deck(this.rows.map((row) => row.querySelector('audio')), () => this.show());
    for (const audio of this.deck.audios) audio.controls = false;
    this.rows.forEach((row, at) => this.prepare(row, at));
    this.listen();
    this.show();
  }

  find(selector) { return this.section.querySelector(selector); }

  prepare(row, at) {
    row.querySelector('.pick').addEventListener('click', () => this.deck.switchTo(at));
    const stage = row.querySelector('.stage');
    const place = (event) => {
      const box = stage.getBoundingClientRect();
      return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * this.deck.duration;
    };
    let from = null;
    stage.addEventListener('pointerdown', (event) => {
      if (event.button) return;
      from = place(event);
      stage.setPointerCapture(event.pointerId);
    });
    stage.addEventListener('pointermove', (event) => {
      if (from !== null && Math.abs(place(event) - from) > this.deck.duration / 100) this.select(from, place(event));
    });
    stage.addEventListener('pointerup', (event) => {
      if (from === null) return;
      this.deck.switchTo(at);
      if (Math.abs(place(event) - from) > this.deck.duration / 100) this.deck.seek(this.deck.region[0]);
      else this.deck.seek(from);
      from = null;
    });
    stage.addEventListener('pointercancel', () => { from = null; });
  }

  listen() {
    this.find('.play').addEventListener('click', () => this.deck.toggle());
    this.find('.loop').addEventListener('click', () => this.loop());
    this.find('.help').addEventListener('click', () => this.help());
    const blind = this.find('.blind');
    if (blind) blind.addEventListener('click', () => this.blind());
    this.section.querySelectorAll('[data-show]').forEach((button, at) => {
      button.addEventListener('click', () => this.look(at));
    });
  }

  say(text) { this.find('.said').textContent = text; }

  loop() {
    this.deck.looping = !this.deck.looping;
    this.say(this.deck.looping ? `Looping ${this.deck.region ? 'the region' : 'everything'}.` : 'No loop.');
    this.show();
  }

  select(from, to) {
    this.deck.region = [Math.min(from, to), Math.max(from, to)];
    this.deck.looping = true;
    this.show();
  }

  edge(end) {
    const here = this.deck.position;
    const [low, high] = this.deck.region || [0, this.deck.duration];
    if (end ? here > low + 0.05 : here < high - 0.05) this.select(end ? low : here, end ? here : high);
  }

  forget() {
    this.deck.region = null;
    this.deck.looping = false;
    this.show();
  }

  look(at) {
    const buttons = [...this.section.querySelectorAll('[data-show]')];
    this.view = at % buttons.length;
    const name = buttons[this.view].dataset.show;
    buttons.forEach((button, number) => button.setAttribute('aria-pressed', String(number === this.view)));
    for (const row of this.rows) {
      for (const picture of row.querySelectorAll('.view')) picture.hidden = picture.dataset.view !== name;
    }
  }

  help() {
    const keys = this.find('.keys');
    keys.hidden = !keys.hidden;
    this.find('.help').setAttribute('aria-expanded', String(!keys.hidden));
  }

  // The rows, with every name in them, leave the document until the test is over.
  blind() {
    if (!this.find('.blind')) return;
    this.deck.pause();
    this.forget();
    this.list.remove();
    const showNames = hideNames();
    this.section.classList.add('testing');
    this.test = offer(this, () => {
      this.test = null;
      showNames();
      this.section.classList.remove('testing');
      this.find('.bar').after(this.list);
      this.show();
    });
  }

  show() {
    const { deck } = this;
    const share = (seconds) => `${deck.duration ? (100 * seconds) / deck.duration : 0}%`;
    const play = this.find('.play');
    play.textContent = deck.playing ? '❚❚' : '▶';
    play.setAttribute('aria-label', deck.playing ? 'Pause' : 'Play');
    this.find('.time').textContent = `${clock(deck.position)} / ${clock(deck.duration)}`;
    this.find('.loop').setAttribute('aria-pressed', String(deck.looping));
    this.rows.forEach((row, at) => {
      const chosen = at === deck.at;
      row.classList.toggle('chosen', chosen);
      row.querySelector('.pick').setAttribute('aria-pressed', String(chosen));
      row.querySelector('.head').style.left = share(deck.position);
      const region = row.querySelector('.region');
      region.hidden = !deck.region;
      if (deck.region) {
        region.style.left = share(deck.region[0]);
        region.style.width = share(deck.region[1] - deck.region[0]);
      }
    });
  }

  // Whether the key meant something.
  key(event) {
    if (this.test) return this.test.key(event);
    const { deck } = this;
    const step = event.shiftKey ? 1 : 5;
    const count = this.rows.length;
    const does = {
      ' ': () => deck.toggle(),
      ArrowLeft: () => deck.seek(deck.position - step),
      ArrowRight: () => deck.seek(deck.position + step),
      ArrowUp: () => deck.switchTo((deck.at + count - 1) % count),
      ArrowDown: () => deck.switchTo((deck.at + 1) % count),
      Home: () => deck.seek(0),
      '[': () => this.edge(false),
      ']': () => this.edge(true),
      l: () => this.loop(),
      v: () => this.look(this.view + 1),
      b: () => this.blind(),
      '?': () => this.help(),
      Escape: () => this.forget(),
    }[event.key];
    const digit = /^[0-9]$/.test(event.key) ? (Number(event.key) + 9) % 10 : -1;
    if (digit >= 0 && digit < count) deck.switchTo(digit);
    else if (does) does();
    else return false;
    return true;
  }
}

// One part of the page has the keys: the one that was touched last, else the first.
const parts = [];
let active = null;

const take = (part) => {
  part.section.addEventListener('pointerdown', () => { active = part; });
  part.section.addEventListener('focusin', () => { active = part; });
  parts.push(part);
  active = active || part;
};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !active) return;
  const typed = event.target.closest('input, select, textarea, summary, audio');
  const pressed = event.target.closest('button, a') && [' ', 'Enter'].includes(event.key);
  if (!typed && !pressed && active.key(event)) event.preventDefault();
});

// A button that was clicked does not keep the keys to itself: space then still plays.
document.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button && event.detail) button.blur();
});

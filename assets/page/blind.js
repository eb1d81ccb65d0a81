// Blind tests: made here from the clips of a page, or sealed in a page that was made for one.

// The bytes of xorshift32, as in page/sealed.py.
function unseal({ key, text }) {
  let state = key || 1;
  const bytes = Uint8Array.from(atob(text), (letter) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return letter.charCodeAt(0) ^ (state >>> 24);
  });
  return JSON.parse(new TextDecoder().decode(bytes));
}

const below = (count) => Math.floor((crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32) * count);

function shuffled(values) {
  const mixed = [...values];
  for (let at = mixed.length - 1; at > 0; at -= 1) {
    const other = below(at + 1);
    [mixed[at], mixed[other]] = [mixed[other], mixed[at]];
  }
  return mixed;
}

// Trials balanced over pairs, sides and X, as `listen.blind.trials` draws them.
function drawTrials(task, count, real, sets) {
  const every = [];
  for (let one = 0; one < real.length; one += 1) {
    for (let other = one + 1; other < real.length; other += 1) {
      if (task === 'real' && real[one] === real[other]) continue;
      for (const flip of [false, true]) {
        for (const same of [false, true]) every.push({ pair: flip ? [other, one] : [one, other], same });
      }
    }
  }
  let drawn = [];
  while (drawn.length < count) drawn = drawn.concat(shuffled(every));
  return shuffled(drawn.slice(0, count)).map(({ pair: [a, b], same }, number) => {
    const excerpt = number % sets.length;
    const x = task === 'abx' ? (same ? a : b) : null;
    const right = { abx: same ? 'a' : 'b', real: real[a] ? 'a' : 'b', prefer: '' }[task];
    const play = { a: sets[excerpt][a], b: sets[excerpt][b], x: x === null ? null : sets[excerpt][x] };
    return { excerpt, a, b, x, right, play };
  });
}

// How many of the 2^n outcomes of n guesses have k right, for k in [from, to]; and that as a share of them all.
function outcomes(count, from, to) {
  let ways = 1n;
  let sum = 0n;
  for (let k = 0; k <= to; k += 1) {
    if (k >= from) sum += ways;
    ways = (ways * BigInt(count - k)) / BigInt(k + 1);
  }
  return Number((sum * 10n ** 18n) >> BigInt(count)) / 1e18;
}
const atLeast = (right, count) => outcomes(count, right, count);
const twoSided = (wins, count) => Math.min(1, 2 * outcomes(count, 0, Math.min(wins, count - wins)));

// What the answers show, in the form of `listen.blind.results`.
function results(task, answers, labels) {
  if (task === 'prefer') return preferences(answers, labels);
  const right = answers.filter(({ trial, said }) => said === trial.right).length;
  const summary = { correct: right, trials: answers.length, p_value: atLeast(right, answers.length) };
  if (task !== 'real') return summary;
  summary.told_apart = {};
  for (const { trial, said } of answers) {
    const label = labels[trial.right === 'a' ? trial.b : trial.a];
    const tally = summary.told_apart[label] || (summary.told_apart[label] = { correct: 0, trials: 0 });
    tally.correct += said === trial.right;
    tally.trials += 1;
  }
  for (const tally of Object.values(summary.told_apart)) tally.p_value = atLeast(tally.correct, tally.trials);
  return summary;
}

function preferences(answers, labels) {
  const wins = new Map();
  for (const { trial, said } of answers) {
    const pair = [trial.a, trial.b].sort((one, other) => one - other);
    const key = pair.join(' ');
    if (!wins.has(key)) wins.set(key, { pair, chosen: [0, 0] });
    wins.get(key).chosen[pair.indexOf(trial[said])] += 1;
  }
  const found = [...wins.values()].sort((one, other) => one.pair[0] - other.pair[0] || one.pair[1] - other.pair[1]);
  const share = {};
  labels.forEach((label, number) => {
    let won = 0;
    let all = 0;
    for (const { pair, chosen } of found) {
      if (!pair.includes(number)) continue;
      won += chosen[pair.indexOf(number)];
      all += chosen[0] + chosen[1];
    }
    if (all) share[label] = won / all;
  });
  const pairs = found.map(({ pair, chosen }) => (
    { pair: pair.map((item) => labels[item]), chosen, p_value: twoSided(chosen[0], chosen[0] + chosen[1]) }
  ));
  return { trials: answers.length, pairs, share };
}

const CHOICES = {
  abx: ['X is A', 'X is B'],
  prefer: ['A is better', 'B is better'],
  real: ['A is real', 'B is real'],
};

// A test under way. `given`: task, question, trials, names (a function that tells them), sources (of the clips'
// sound), seed. `left` is called when the listener has seen the result, or left without an answer.
class Test {
  constructor(section, given, left) {
    Object.assign(this, { section, given, left, answers: [], number: -1, over: false });
    this.panel = section.querySelector('.test');
    this.panel.hidden = false;
    const letters = given.task === 'abx' ? ['a', 'b', 'x'] : ['a', 'b'];
    this.letters = letters;
    this.audios = letters.map(() => make('audio', { preload: 'auto' }));
    this.deck = new Deck(this.audios, () => this.show());
    this.build();
    this.next();
  }

  button(text, key, action, className = '') {
    const button = make('button', { type: 'button', className }, make('kbd', {}, key), ` ${text}`);
    button.addEventListener('click', action);
    return button;
  }

  build() {
    const [one, other] = CHOICES[this.given.task];
    this.head = make('span', { className: 'fill' });
    this.line = make('div', { className: 'line' }, this.head);
    this.line.addEventListener('pointerdown', (event) => {
      const box = this.line.getBoundingClientRect();
      this.deck.seek(((event.clientX - box.left) / box.width) * this.deck.duration);
    });
    this.place = make('p', { className: 'place' });
    this.time = make('output', { className: 'time' });
    this.toggle = make('button', { type: 'button', className: 'play' }, '▶');
    this.toggle.addEventListener('click', () => this.deck.toggle());
    this.picks = this.letters.map((letter, at) => {
      const button = make('button', { type: 'button', className: 'letter' }, letter.toUpperCase());
      button.addEventListener('click', () => this.hear(at));
      return button;
    });
    const answers = [this.button(one, '1', () => this.answer('a')), this.button(other, '2', () => this.answer('b'))];
    this.panel.replaceChildren(
      this.place,
      make('p', { className: 'question' }, this.given.question),
      make('div', { className: 'letters' }, ...this.picks),
      make('div', { className: 'transport' }, this.toggle, this.line, this.time),
      make('div', { className: 'answers' }, ...answers),
      make('p', { className: 'hint' }, `${this.letters.join(' ')} hear · space play or pause · ← → seek · 1 2 answer · q leave`),
      ...this.audios,
    );
  }

  next() {
    this.deck.pause();
    this.number += 1;
    if (this.number >= this.given.trials.length) {
      this.finish();
      return;
    }
    const trial = this.given.trials[this.number];
    this.letters.forEach((letter, at) => { this.audios[at].src = this.given.sources[trial.play[letter]]; });
    this.deck.at = 0;
    this.begun = performance.now();
    this.place.textContent = `Trial ${this.number + 1} of ${this.given.trials.length}`;
    this.show();
  }

  hear(at) {
    this.deck.switchTo(at);
    if (!this.deck.playing) this.deck.play();
  }

  answer(said) {
    if (this.over) return;
    const afterS = Math.round((performance.now() - this.begun) / 100) / 10;
    this.answers.push({ trial: this.given.trials[this.number], said, afterS });
    this.next();
  }

  leave() {
    this.deck.pause();
    if (this.over || !this.answers.length) this.close();
    else this.finish();
  }

  close() {
    this.deck.pause();
    this.panel.hidden = true;
    this.panel.replaceChildren();
    this.left();
  }

  show() {
    if (this.over) return;
    const { deck } = this;
    this.toggle.textContent = deck.playing ? '❚❚' : '▶';
    this.toggle.setAttribute('aria-label', deck.playing ? 'Pause' : 'Play');
    this.time.textContent = `${clock(deck.position)} / ${clock(deck.duration)}`;
    this.head.style.width = `${deck.duration ? (100 * deck.position) / deck.duration : 0}%`;
    this.picks.forEach((button, at) => button.setAttribute('aria-pressed', String(at === deck.at)));
  }

  // The session as `listen.results` keeps it, in a file of its own.
  session(names) {
    const trials = this.answers.map(({ trial: { excerpt, a, b, x, right }, said, afterS }) => ({
      excerpt, a, b, x, right, answer: said, seconds: afterS, ...(right ? { correct: said === right } : {}),
    }));
    return {
      task: this.given.task,
      time: new Date().toISOString().replace(/\.\d+Z$/, '+00:00'),
      seed: this.given.seed,
      complete: this.answers.length === this.given.trials.length,
      played_with: 'a browser',
      items: names.labels,
      excerpts: names.clips,
      trials,
      result: results(this.given.task, this.answers, names.labels),
    };
  }

  finish() {
    this.over = true;
    const names = this.given.names();
    const session = this.session(names);
    const file = new Blob([`${JSON.stringify({ format: 1, sessions: [session] }, null, 2)}\n`], { type: 'application/json' });
    const save = make('a', { href: URL.createObjectURL(file), download: 'listen-results.json', className: 'save' }, 'Save as JSON');
    const close = this.button(this.given.again, 'q', () => this.close());
    this.panel.replaceChildren(
      make('p', { className: 'place' }, `${this.answers.length} of ${this.given.trials.length} trials answered`),
      make('h2', { tabIndex: -1, className: 'score' }, headline(session)),
      ...sentences(session).map((text) => make('p', {}, text)),
      make('div', { className: 'wide' }, told_trials(session)),
      make('div', { className: 'answers' }, save, close),
    );
    this.panel.querySelector('.score').focus();
  }

  key({ key }) {
    const letter = this.letters.indexOf(key.toLowerCase());
    if (key === 'q' || key === 'Escape') this.leave();
    else if (this.over) return false;
    else if (letter >= 0) this.hear(letter);
    else if (key === '1' || key === '2') this.answer(key === '1' ? 'a' : 'b');
    else if (key === ' ') this.deck.toggle();
    else if (key === 'ArrowLeft') this.deck.seek(this.deck.position - 5);
    else if (key === 'ArrowRight') this.deck.seek(this.deck.position + 5);
    else return false;
    return true;
  }
}

const p = (value) => (value < 0.001 ? 'p < 0.001' : `p = ${value.toFixed(3)}`);

function headline({ task, result }) {
  if (task !== 'prefer') return `${result.correct} of ${result.trials} right, ${p(result.p_value)}`;
  const [best] = Object.entries(result.share).sort((one, other) => other[1] - one[1]);
  return `${best[0]} was chosen most: ${Math.round(100 * best[1])} % of its trials`;
}

function sentences({ task, result }) {
  if (task === 'prefer') {
    return result.pairs.map(({ pair, chosen, p_value: value }) => (
      `${pair[0]} ${chosen[0]} : ${chosen[1]} ${pair[1]}, ${p(value)} (sign test, two-sided)`
    ));
  }
  const said = ['p is the chance of so many right answers, or more, by guessing: exact binomial test.'];
  for (const [label, tally] of Object.entries(result.told_apart || {})) {
    said.push(`The real one told from ${label}: ${tally.correct} of ${tally.trials}, ${p(tally.p_value)}.`);
  }
  return said;
}

function told_trials({ items, trials }) {
  const table = make('table', {});
  const head = ['', 'A', 'B', ...(trials.some(({ x }) => x !== null) ? ['X'] : []), 'you said'];
  table.append(make('thead', {}, make('tr', {}, ...head.map((text) => make('th', { scope: 'col' }, text)))));
  const rows = trials.map((trial, number) => {
    const mark = trial.correct === undefined ? '' : trial.correct ? ' ✔ right' : ' ✖ wrong';
    const cells = [String(number + 1), items[trial.a], items[trial.b]];
    if (head.length === 5) cells.push(items[trial.x]);
    return make('tr', {}, ...[...cells, trial.answer.toUpperCase() + mark].map((text) => make('td', {}, text)));
  });
  table.append(make('tbody', {}, ...rows));
  return table;
}

// The question before a test made on the page: which task, how many trials.
function offer(player, left) {
  const { about, section } = player;
  const panel = section.querySelector('.test');
  const tasks = Object.keys(CHOICES).filter((task) => task !== 'real' || new Set(about.real).size === 2);
  const task = make('select', {}, ...tasks.map((name) => make('option', { value: name }, about.questions[name])));
  const count = make('input', { type: 'number', min: 1, max: 100, value: 10 });
  const form = make(
    'form',
    {},
    make('p', { className: 'question' }, 'A blind test'),
    make('label', {}, 'Question ', task),
    make('label', {}, 'Trials ', count),
    make('div', { className: 'answers' }, make('button', { type: 'submit' }, 'Begin'), make('button', { type: 'button', className: 'leave' }, 'Leave')),
  );
  const close = () => {
    panel.hidden = true;
    panel.replaceChildren();
    left();
  };
  const begin = () => {
    const wanted = Math.max(1, Math.min(100, Math.round(Number(count.value)) || 10));
    const given = {
      task: task.value,
      question: about.questions[task.value],
      trials: drawTrials(task.value, wanted, about.real, about.sets),
      names: () => ({ labels: about.labels, clips: about.sets.map((set) => set.map((clip) => about.clips[clip])) }),
      sources: player.deck.audios.map((audio) => audio.src),
      seed: null,
      again: 'Back to the clips',
    };
    player.test = new Test(section, given, left);
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    begin();
  });
  form.querySelector('.leave').addEventListener('click', close);
  panel.replaceChildren(form);
  panel.hidden = false;
  task.focus();
  return {
    key: ({ key }) => {
      if (key === 'Escape' || key === 'q') close();
      else if (key === 'Enter') begin();
      else return false;
      return true;
    },
  };
}

// A page made for one test: its clips stand in the document without names.
class Sealed {
  constructor(section) {
    this.section = section;
    this.about = told(section);
    this.list = section.querySelector('.clips');
    this.sources = [...section.querySelectorAll('.clip audio')].map((audio) => audio.src);
    this.list.hidden = true;
    this.begin();
  }

  begin() {
    const { task, question, seed, order, names } = this.about;
    const given = {
      task, question, seed, trials: unseal(order), names: () => unseal(names), sources: this.sources, again: 'Begin again',
    };
    this.test = new Test(this.section, given, () => this.begin());
  }

  key(event) { return this.test.key(event); }
}

for (const section of document.querySelectorAll('.player')) {
  take(section.classList.contains('sealed') ? new Sealed(section) : new Player(section));
}

// Several clips under one play-head: one sounds, and switching to another keeps the place.

const clock = (seconds) => {
  const whole = Math.floor(seconds + 1e-6);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
};

class Deck {
  // `changed` is called whenever something is to be shown anew: some sixty times a second while it plays.
  constructor(audios, changed) {
    this.audios = audios;
    this.changed = changed;
    this.at = 0;
    this.playing = false;
    this.looping = false;
    this.region = null; // [begin, end] in seconds
    for (const audio of audios) {
      audio.addEventListener('ended', () => this.ended(audio));
      audio.addEventListener('timeupdate', () => this.turn());
      audio.addEventListener('loadedmetadata', () => this.changed());
    }
  }

  get audio() { return this.audios[this.at]; }
  get position() { return this.audio.currentTime; }
  get duration() { return Number.isFinite(this.audio.duration) ? this.audio.duration : 0; }

  play() {
    if (this.duration && this.position >= this.duration - 0.02) this.audio.currentTime = this.begin;
    this.playing = true;
    this.sound();
    this.tick();
  }

  pause() {
    this.playing = false;
    for (const audio of this.audios) audio.pause();
    this.changed();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  switchTo(at) {
    if (at === this.at || !this.audios[at]) return;
    const before = this.audio;
    this.at = at;
    this.audio.currentTime = before.currentTime;
    if (this.playing) this.sound();
    else this.changed();
  }

  // The others fall silent only once this one is heard, so that there is no gap.
  sound() {
    const audio = this.audio;
    const hush = () => {
      for (const other of this.audios) if (other !== this.audio) other.pause();
    };
    Promise.resolve(audio.play()).then(hush, () => {
      hush();
      if (audio === this.audio && audio.paused) this.playing = false; // the browser refused, or it was paused meanwhile
      this.changed();
    });
    this.changed();
  }

  seek(seconds) {
    this.audio.currentTime = Math.max(0, Math.min(seconds, this.duration ? this.duration - 0.01 : seconds));
    this.changed();
  }

  get begin() { return this.looping && this.region ? this.region[0] : 0; }

  // At the region's end back to its beginning.
  turn() {
    if (!this.playing || !this.looping || !this.region) return;
    if (this.position >= this.region[1] || this.position < this.region[0] - 0.05) this.audio.currentTime = this.region[0];
  }

  ended(audio) {
    if (audio !== this.audio || !this.playing) return;
    if (this.looping) {
      audio.currentTime = this.begin;
      this.sound();
    } else {
      this.playing = false;
    }
    this.changed();
  }

  tick() {
    if (!this.playing) return;
    this.turn();
    this.changed();
    requestAnimationFrame(() => this.tick());
  }
}

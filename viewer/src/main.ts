// The player: one clock, one view, a pane for each run.

import { Pane, type Picked } from "./pane";
import { Curve, Legend, RUN_COLOURS, Story, clock, element } from "./panels";
import { Run, cityOf } from "./run";
import { unpack } from "./unpack";
import { View } from "./view";

const SPEEDS = [30, 60, 120, 300, 600];

class Player {
  time = 0;
  frames = 0;
  private playing = false;
  private speed = 120;
  private picked: { run: number; what: Picked } | null = null;
  private lastFrame = 0;
  private changed = true;
  private readonly end: number;
  private readonly slider = element("input", "slider");
  private readonly button = element("button", "play", "▶");
  private readonly now = element("output", "now");
  private readonly figures: HTMLElement[] = [];

  constructor(
    root: HTMLElement,
    readonly runs: Run[],
    readonly panes: Pane[],
    readonly view: View,
  ) {
    this.end = Math.max(...runs.map((run) => run.end));
    this.legend = new Legend(runs);
    this.story = new Story((time) => this.seek(time));
    this.curve = new Curve(runs, (time) => this.seek(time));
    this.build(root);
    this.listen();
    this.resize(true);
    requestAnimationFrame((at) => this.frame(at));
  }

  private readonly legend: Legend;
  private readonly story: Story;
  private readonly curve: Curve;

  seek(time: number): void {
    this.time = Math.min(Math.max(time, 0), this.end);
    this.changed = true;
  }

  play(playing: boolean): void {
    if (playing && this.time >= this.end) this.time = 0;
    this.playing = playing;
    this.button.textContent = playing ? "❚❚" : "▶";
    this.button.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.changed = true;
  }

  pick(run: number, what: Picked | null): void {
    this.picked = what ? { run, what } : null;
    this.story.show(what ? this.runs[run] : null, what);
    this.changed = true;
  }

  draw(): void {
    this.panes.forEach((pane, number) =>
      pane.draw(this.time, this.picked?.run === number ? this.picked.what : null),
    );
    this.runs.forEach((run, number) => {
      const epoch = run.epoch(this.time);
      this.figures[number].textContent = run.header.series
        .map((name) => `${name} ${Math.round(run.series(name)[epoch]).toLocaleString("en")}`)
        .join("   ");
    });
    this.now.textContent = clock(this.time);
    this.slider.value = String(this.time);
    this.legend.show(this.time);
    this.story.mark(this.time);
    this.curve.show(this.time);
    this.frames++;
  }

  private frame(at: number): void {
    if (this.playing) {
      this.seek(this.time + ((at - this.lastFrame) / 1000) * this.speed);
      if (this.time >= this.end) this.play(false);
    }
    this.lastFrame = at;
    if (this.changed) {
      this.changed = false;
      this.draw();
    }
    requestAnimationFrame((next) => this.frame(next));
  }

  private build(root: HTMLElement): void {
    const head = element("header");
    head.append(element("h1", "", this.runs[0].header.title), element("span", "brand", "CrowdGym"));
    const maps = element("div", `maps of-${this.runs.length}`);
    this.panes.forEach((pane, number) => {
      const box = element("figure");
      const caption = element("figcaption");
      const agent = element("strong", "", this.runs[number].header.agent);
      agent.style.color = RUN_COLOURS[number];
      const figures = element("span", "figures");
      this.figures.push(figures);
      caption.append(agent, figures);
      box.append(caption, pane.canvas);
      maps.append(box);
    });
    const side = element("aside");
    side.append(this.curve.root, this.legend.root, this.story.root);
    const body = element("main");
    body.append(maps, side);
    root.append(head, body, this.controls());
  }

  private controls(): HTMLElement {
    const bar = element("footer");
    Object.assign(this.slider, { type: "range", min: "0", max: String(this.end), step: "any", value: "0" });
    this.slider.setAttribute("aria-label", "Time");
    this.button.setAttribute("aria-label", "Play");
    const speeds = element("select", "speed");
    speeds.setAttribute("aria-label", "Speed");
    for (const speed of SPEEDS) {
      const option = element("option", "", `${speed}×`);
      option.value = String(speed);
      option.selected = speed === this.speed;
      speeds.append(option);
    }
    speeds.addEventListener("change", () => (this.speed = Number(speeds.value)));
    this.slider.addEventListener("input", () => this.seek(Number(this.slider.value)));
    this.button.addEventListener("click", () => this.play(!this.playing));
    const whole = element("button", "whole", "Fit");
    whole.title = "Show all";
    whole.addEventListener("click", () => this.fit());
    bar.append(this.button, this.slider, this.now, speeds, whole);
    return bar;
  }

  private fit(): void {
    this.view.fit(...this.panes[0].size);
    this.changed = true;
  }

  private resize(fit: boolean): void {
    for (const pane of this.panes) pane.resize();
    if (fit) this.fit();
    this.curve.resize();
    this.changed = true;
  }

  private listen(): void {
    const watched = new ResizeObserver(() => this.resize(false));
    for (const pane of this.panes) watched.observe(pane.canvas);
    window.addEventListener("keydown", (event) => this.key(event));
    this.panes.forEach((pane, number) => this.listenTo(pane, number));
  }

  private key(event: KeyboardEvent): void {
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
    const time = this.runs[0].time;
    const step = time[1] - time[0];
    if (event.key === " ") this.play(!this.playing);
    else if (event.key === "ArrowRight") this.seek(this.time + step);
    else if (event.key === "ArrowLeft") this.seek(this.time - step);
    else if (event.key === "Home") this.seek(0);
    else if (event.key === "End") this.seek(this.end);
    else if (event.key === "Escape") this.pick(0, null);
    else return;
    event.preventDefault();
  }

  private listenTo(pane: Pane, number: number): void {
    const { canvas } = pane;
    const fingers = new Map<number, { x: number; y: number }>();
    let moved = 0;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
      moved = 0;
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const [dx, dy] = [event.offsetX - before.x, event.offsetY - before.y];
      moved += Math.hypot(dx, dy);
      const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
      if (other) {
        const spread = (to: { x: number; y: number }) => Math.hypot(to.x - other.x, to.y - other.y);
        const now = { x: event.offsetX, y: event.offsetY };
        this.view.zoom(spread(now) / Math.max(spread(before), 1), (now.x + other.x) / 2, (now.y + other.y) / 2, ...pane.size);
      } else {
        this.view.pan(dx, dy);
      }
      fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
      this.changed = true;
    });
    for (const kind of ["pointerup", "pointercancel"] as const) {
      canvas.addEventListener(kind, (event) => {
        fingers.delete(event.pointerId);
        if (kind === "pointerup" && moved < 5) this.pick(number, pane.pick(event.offsetX, event.offsetY, this.time));
      });
    }
    canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.view.zoom(Math.exp(-event.deltaY * 0.0015), event.offsetX, event.offsetY, ...pane.size);
        this.changed = true;
      },
      { passive: false },
    );
  }
}

async function start(): Promise<void> {
  const root = document.getElementById("player")!;
  try {
    const replay = await unpack(document.getElementById("replay")!.textContent!);
    const city = cityOf(replay);
    const runs = replay.runs.map((header, at) => new Run(header, replay.arrays, `run${at}`, replay.city, city));
    const view = new View(city, runs);
    const panes = runs.map((run) => new Pane(run, city, view));
    Object.assign(window, { crowdgymPlayer: new Player(root, runs, panes, view) });
  } catch (error) {
    root.textContent = `This replay cannot be shown: ${error instanceof Error ? error.message : error}`;
  }
}

void start();

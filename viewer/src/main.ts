// The player: one clock, one view, a pane for each run.

import { type City, cityOf } from "./city";
import { Curve } from "./curves";
import { Gantt } from "./gantt";
import { listenTo } from "./gestures";
import { Pane } from "./pane";
import { CountTable, Legend, RUN_COLOURS, Story, capital, clock, element, figure } from "./panels";
import { type Picked, Run } from "./run";
import { type Looks, unpack } from "./unpack";
import { View } from "./view";

const SPEEDS = { seconds: [30, 60, 120, 300, 600], cycles: [0.5, 1, 2, 5, 10] };
const USUAL_SPEED = 2; // its place in the list
const ZOOM_STEP = 1.4;
const [CURVES_PX, LOW_CURVES_PX] = [[150, 105], [186, 78]]; // heights: of one curve, and of each of several
const [BESIDE_PX, BELOW_PX, CAPTION_PX, NARROW_PX] = [308, 236, 50, 900]; // as in player.css

class Player {
  time = 0;
  frames = 0;
  private playing = false;
  private speed: number;
  private picked: { run: number; what: Picked } | null = null;
  private lastFrame = 0;
  private changed = true;
  private shownEpochs = "";
  private readonly end: number;
  private readonly slider = element("input", "slider");
  private readonly button = element("button", "play", "▶");
  private readonly now = element("output", "now");
  private readonly speeds = element("select", "speed");
  private readonly body = element("main");
  private readonly tooltip = element("div", "tooltip");
  private readonly figures: HTMLElement[][] = [];
  private readonly legend: Legend;
  private readonly story: Story;
  private readonly gantt: Gantt;
  private readonly table: CountTable | null;
  private readonly curves: Curve[];

  constructor(
    root: HTMLElement,
    readonly runs: Run[],
    readonly panes: Pane[],
    readonly view: View,
    looks: Looks,
  ) {
    const { header } = runs[0];
    const seek = (time: number) => this.seek(time);
    this.end = Math.max(...runs.map((run) => run.end));
    this.speed = SPEEDS[header.time][USUAL_SPEED];
    this.legend = new Legend(runs, looks);
    const hint = `Click a ${header.mover_word} or a ${header.site_word} on the map for its story.`;
    this.story = new Story(seek, () => this.pick(0, null), hint);
    this.gantt = new Gantt(seek, (site) => this.pick(this.picked!.run, { kind: "site", number: site }));
    this.table = header.table ? new CountTable(runs) : null;
    this.curves = header.curves.map((name) => new Curve(runs, name, seek));
    this.build(root);
    this.listen();
    this.resize();
    this.fit();
    requestAnimationFrame((at) => this.frame(at));
  }

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
    this.gantt.show(what ? this.runs[run] : null, what);
    this.story.root.parentElement!.scrollTop = 0;
    if (what && !this.body.classList.contains("low")) this.story.root.scrollIntoView({ block: "nearest" });
    this.changed = true;
  }

  draw(): void {
    this.panes.forEach((pane, number) =>
      pane.draw(this.time, this.picked?.run === number ? this.picked.what : null),
    );
    this.showFigures();
    this.now.textContent = clock(this.time, this.runs[0].header);
    this.slider.value = String(this.time);
    this.slider.style.setProperty("--done", `${(100 * this.time) / Math.max(this.end, 1e-9)}%`);
    this.story.mark(this.time);
    this.gantt.mark(this.time);
    for (const curve of this.curves) curve.show(this.time);
    this.frames++;
  }

  /** What changes from epoch to epoch only. */
  private showFigures(): void {
    const epochs = this.runs.map((run) => run.epoch(this.time)).join(" ");
    if (epochs === this.shownEpochs) return;
    this.shownEpochs = epochs;
    this.runs.forEach((run, number) => {
      run.header.series.forEach((name, at) => {
        this.figures[number][at].textContent = figure(run.series(name)[run.epoch(this.time)]);
      });
    });
    this.legend.show(this.time);
    this.table?.show(this.time);
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
    this.panes.forEach((pane, number) => maps.append(this.figureOf(pane, number)));
    const side = element("aside");
    const [curves, stories] = [element("div", "curves"), element("div", "stories")];
    curves.append(...this.curves.map((curve) => curve.root));
    stories.append(this.gantt.root, this.story.root);
    side.append(curves, stories);
    if (this.table) side.append(this.table.root);
    side.append(this.legend.root, this.help());
    this.body.append(maps, side);
    root.replaceChildren(head, this.body, this.controls(), this.tooltip);
    document.title = this.runs[0].header.title;
  }

  private figureOf(pane: Pane, number: number): HTMLElement {
    const box = element("figure");
    const caption = element("figcaption");
    const { header } = this.runs[number];
    const agent = element("strong", "agent", header.agent);
    agent.style.setProperty("--run", RUN_COLOURS[number]);
    caption.append(agent);
    this.figures.push(
      header.series.map((name) => {
        const value = element("b");
        const cell = element("span", "figure");
        cell.append(value, element("small", "", name));
        caption.append(cell);
        return value;
      }),
    );
    box.append(caption, pane.canvas);
    return box;
  }

  private help(): HTMLElement {
    const keys = { "space": "play", "← →": "step", "↑ ↓": "speed", "+ −": "zoom", "0": "show all", "Esc": "close" };
    const section = element("section", "help");
    for (const [key, what] of Object.entries(keys)) section.append(element("kbd", "", key), element("span", "", what));
    return section;
  }

  private controls(): HTMLElement {
    const bar = element("footer");
    Object.assign(this.slider, { type: "range", min: "0", max: String(this.end), step: "any", value: "0" });
    this.slider.setAttribute("aria-label", "Time");
    this.button.setAttribute("aria-label", "Play");
    this.speeds.setAttribute("aria-label", "Speed");
    const { header } = this.runs[0];
    for (const speed of SPEEDS[header.time]) {
      const option = element("option", "", header.time === "cycles" ? `${speed} cycles/s` : `${speed}×`);
      option.value = String(speed);
      option.selected = speed === this.speed;
      this.speeds.append(option);
    }
    this.speeds.addEventListener("change", () => (this.speed = Number(this.speeds.value)));
    this.slider.addEventListener("input", () => this.seek(Number(this.slider.value)));
    this.button.addEventListener("click", () => this.play(!this.playing));
    const whole = element("button", "whole", "Show all");
    this.button.title = "Play or pause (space); arrow keys step and change the speed";
    whole.title = "Show all of the map (0); + and − zoom, Esc closes a story";
    whole.addEventListener("click", () => this.fit());
    bar.append(this.button, this.slider, this.now, this.speeds, whole);
    return bar;
  }

  private fit(): void {
    this.view.fit(...this.panes[0].size);
    this.changed = true;
  }

  /** Put what is beside the maps below them, where that leaves more room for what happens. */
  private arrange(): void {
    const { clientWidth: width, clientHeight: height } = this.body;
    const panes = this.panes.length;
    const beside = this.view.scaleFor((width - BESIDE_PX) / panes, height - CAPTION_PX);
    const below = this.view.scaleFor(width / panes, height - CAPTION_PX - BELOW_PX);
    this.body.classList.toggle("low", width > NARROW_PX && below > beside * 1.05);
  }

  private resize(): void {
    this.arrange();
    for (const pane of this.panes) pane.resize();
    const heights = this.body.classList.contains("low") ? LOW_CURVES_PX : CURVES_PX;
    for (const curve of this.curves) curve.resize(heights[this.curves.length > 1 ? 1 : 0]);
    this.changed = true;
  }

  private listen(): void {
    const watched = new ResizeObserver(() => {
      this.resize();
      if (Math.abs(this.view.magnified - 1) < 1e-6) this.fit(); // all is shown, and stays so
    });
    for (const pane of this.panes) watched.observe(pane.canvas);
    for (const curve of this.curves) watched.observe(curve.root);
    window.addEventListener("keydown", (event) => this.key(event));
    this.panes.forEach((pane, number) => this.listenTo(pane, number));
  }

  private key(event: KeyboardEvent): void {
    if (event.target instanceof HTMLSelectElement || event.ctrlKey || event.metaKey || event.altKey) return;
    const time = this.runs[0].time;
    const step = time[1] - time[0];
    const keys: Record<string, () => void> = {
      " ": () => this.play(!this.playing),
      ArrowRight: () => this.seek(this.time + step),
      ArrowLeft: () => this.seek(this.time - step),
      ArrowUp: () => this.changeSpeed(1),
      ArrowDown: () => this.changeSpeed(-1),
      Home: () => this.seek(0),
      End: () => this.seek(this.end),
      Escape: () => this.pick(0, null),
      "+": () => this.zoom(ZOOM_STEP),
      "=": () => this.zoom(ZOOM_STEP),
      "-": () => this.zoom(1 / ZOOM_STEP),
      "0": () => this.fit(),
    };
    if (!keys[event.key]) return;
    keys[event.key]();
    event.preventDefault();
  }

  private zoom(factor: number): void {
    const [width, height] = this.panes[0].size;
    this.view.zoom(factor, width / 2, height / 2, width, height);
    this.changed = true;
  }

  private changeSpeed(by: number): void {
    const last = this.speeds.options.length - 1;
    this.speeds.selectedIndex = Math.min(Math.max(this.speeds.selectedIndex + by, 0), last);
    this.speed = Number(this.speeds.value);
  }

  private listenTo(pane: Pane, number: number): void {
    const { canvas } = pane;
    listenTo(canvas, {
      pan: (dx, dy) => {
        this.view.pan(dx, dy);
        this.changed = true;
      },
      zoom: (factor, x, y) => {
        this.view.zoom(factor, x, y, ...pane.size);
        this.changed = true;
      },
      click: (x, y) => this.pick(number, pane.pick(x, y, this.time)),
      hover: (x, y) => this.name(pane, x, y),
      leave: () => this.tooltip.classList.remove("shown"),
    });
  }

  /** Name what is under the mouse. */
  private name(pane: Pane, x: number, y: number): void {
    const found = pane.pick(x, y, this.time);
    this.tooltip.classList.toggle("shown", found !== null);
    pane.canvas.classList.toggle("over", found !== null);
    if (!found) return;
    const box = pane.canvas.getBoundingClientRect();
    this.tooltip.textContent = `${capital(pane.run.name(found))} · ${pane.run.stateName(found, this.time)}`;
    this.tooltip.style.left = `${Math.min(box.left + x + 14, window.innerWidth - this.tooltip.offsetWidth - 8)}px`;
    this.tooltip.style.top = `${box.top + y + 14}px`;
  }
}

async function start(): Promise<void> {
  const root = document.getElementById("player")!;
  try {
    const replay = await unpack(document.getElementById("replay")!.textContent!);
    const city: City = cityOf(replay);
    const runs = replay.runs.map((header, at) => new Run(header, replay.arrays, `run${at}`, replay.city, city));
    const view = new View(city, runs);
    const panes = runs.map((run) => new Pane(run, city, replay.looks, view));
    Object.assign(window, { crowdgymPlayer: new Player(root, runs, panes, view, replay.looks) });
  } catch (error) {
    root.textContent = `This replay cannot be shown: ${error instanceof Error ? error.message : error}`;
  }
}

void start();

// What is beside the maps: the legend with counts, the story of what was clicked, the curve of the main figure.

import uPlot from "uplot";
import type { Picked } from "./pane";
import type { Run } from "./run";
import type { Mark } from "./unpack";

export const RUN_COLOURS = ["#0072b2", "#d55e00"];

export function clock(time: number): string {
  const seconds = Math.max(0, Math.floor(time + 1e-6));
  const two = (value: number) => String(value).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className = "",
  text = "",
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** A row for each state of movers and sites, with how many there are in each run. */
export class Legend {
  readonly root = element("section", "legend");
  private readonly counts: { cells: HTMLElement[]; kind: "mover" | "site"; state: number }[] = [];
  private shown = "";

  constructor(private readonly runs: Run[]) {
    const { header } = runs[0];
    this.group("site", `${capital(header.site_word)}s`, header.site_marks);
    this.group("mover", `${capital(header.mover_word)}s`, header.mover_marks);
  }

  show(time: number): void {
    const key = this.runs.map((run) => run.epoch(time)).join(" ");
    if (key === this.shown) return;
    this.shown = key;
    this.runs.forEach((run, number) => {
      const epoch = run.epoch(time);
      const tallies = {
        mover: tally(run.array("mover_state"), epoch, run.movers),
        site: tally(run.array("site_state"), epoch, run.sites),
      };
      for (const row of this.counts) row.cells[number].textContent = String(tallies[row.kind].get(row.state) ?? 0);
    });
  }

  private group(kind: "mover" | "site", title: string, marks: Mark[]): void {
    const table = element("table");
    const head = table.createTHead().insertRow();
    head.append(element("th", "", title), ...this.runs.map((run) => element("th", "count", run.header.agent)));
    marks.forEach((mark, state) => {
      const row = table.insertRow();
      const name = element("td", "name");
      name.append(sample(mark), element("span", "", mark.name));
      name.title = mark.meaning;
      const cells = this.runs.map(() => element("td", "count"));
      row.append(name, ...cells);
      this.counts.push({ cells, kind, state });
    });
    this.root.append(table);
  }
}

/** The events of the mover or site that was clicked; each line seeks. */
export class Story {
  readonly root = element("section", "story");
  private lines: { time: number; line: HTMLElement }[] = [];

  constructor(private readonly seek: (time: number) => void) {
    this.show(null, null);
  }

  show(run: Run | null, picked: Picked | null): void {
    this.lines = [];
    if (!run || !picked) {
      this.root.replaceChildren(element("p", "hint", "Click a worker or a task on the map for its story."));
      return;
    }
    const list = element("ol");
    for (const event of run.story(picked.kind, picked.number)) {
      const line = element("li");
      const button = element("button", "event", `${clock(event.time)}  ${event.text}`);
      button.addEventListener("click", () => this.seek(event.time));
      line.append(button);
      list.append(line);
      this.lines.push({ time: event.time, line });
    }
    const title = `${capital(run.name(picked.kind, picked.number))}, ${run.header.agent}`;
    this.root.replaceChildren(element("h2", "", title), list);
    if (!this.lines.length) this.root.append(element("p", "hint", "Nothing happens to it in this episode."));
  }

  mark(time: number): void {
    for (const { time: at, line } of this.lines) line.classList.toggle("past", at <= time + 1e-6);
  }
}

/** The main figure of the runs over time, with a line at the present moment. */
export class Curve {
  readonly root = element("section", "curve");
  private plot: uPlot | null = null;
  private now = 0;

  constructor(
    private readonly runs: Run[],
    private readonly seek: (time: number) => void,
  ) {}

  resize(): void {
    this.plot?.destroy();
    const name = this.runs[0].header.series[0];
    const times = this.runs.reduce((longest, run) => (run.time.length > longest.length ? run.time : longest), this.runs[0].time);
    const data = [Array.from(times), ...this.runs.map((run) => Array.from(times, (_, at) => run.series(name)[at] ?? null))];
    this.plot = new uPlot(
      {
        width: Math.max(this.root.clientWidth, 200),
        height: 170,
        title: capital(name),
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: { x: { time: false } },
        axes: [
          { values: (_, ticks) => ticks.map((tick) => clock(tick).slice(0, -3)), space: 60, grid: { show: false } },
          { values: (_, ticks) => ticks.map(compact), size: 52 },
        ],
        series: [
          {},
          ...this.runs.map((run, number) => ({ label: run.header.agent, stroke: RUN_COLOURS[number], width: 2 })),
        ],
        hooks: { draw: [(plot) => this.drawNow(plot)] },
      },
      data as uPlot.AlignedData,
      this.root,
    );
    this.plot.over.addEventListener("click", () => {
      const left = this.plot!.cursor.left ?? -1;
      if (left >= 0) this.seek(this.plot!.posToVal(left, "x"));
    });
  }

  show(time: number): void {
    if (Math.abs(time - this.now) < 1) return;
    this.now = time;
    this.plot?.redraw(false, false);
  }

  private drawNow(plot: uPlot): void {
    const x = plot.valToPos(this.now, "x", true);
    plot.ctx.save();
    plot.ctx.strokeStyle = "#1b2a4a";
    plot.ctx.lineWidth = devicePixelRatio;
    plot.ctx.beginPath();
    plot.ctx.moveTo(x, plot.bbox.top);
    plot.ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
    plot.ctx.stroke();
    plot.ctx.restore();
  }
}

export function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function compact(value: number): string {
  return value >= 1000 ? `${Math.round(value / 1000)}k` : String(value);
}

function tally(states: ArrayLike<number>, epoch: number, count: number): Map<number, number> {
  const found = new Map<number, number>();
  for (let at = epoch * count; at < (epoch + 1) * count; at++) found.set(states[at], (found.get(states[at]) ?? 0) + 1);
  return found;
}

const SVG = "http://www.w3.org/2000/svg";

function sample(mark: Mark): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "-10 -10 20 20");
  const disc = mark.outline.length === 0;
  const shape = document.createElementNS(SVG, disc ? "circle" : mark.face === "none" ? "polyline" : "polygon");
  const size = Math.max(mark.size_px, 5.5);
  if (disc) shape.setAttribute("r", "7");
  else shape.setAttribute("points", mark.outline.map(([u, v]) => `${u * size},${-v * size}`).join(" "));
  shape.setAttribute("fill", mark.face);
  shape.setAttribute("stroke", mark.edge);
  shape.setAttribute("stroke-width", String(mark.edge_px));
  svg.append(shape);
  return svg;
}

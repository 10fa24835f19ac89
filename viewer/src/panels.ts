// What is beside the maps: the legend with counts, a table, and the story of what was clicked.

import type { Picked, Run } from "./run";
import type { Looks, Mark, RunHeader } from "./unpack";

export const RUN_COLOURS = ["#0072b2", "#c2410c"];

/** The time as people read it. */
export function clock(time: number, header: RunHeader): string {
  if (header.time === "cycles") return `cycle ${Math.floor(time + 1e-6) + 1}`;
  const seconds = Math.max(0, Math.floor(time + 1e-6));
  const two = (value: number) => String(value).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** A figure of an episode: small ones with decimals. */
export function figure(value: number): string {
  const size = Math.abs(value);
  const places = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
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

export function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A row for each state of movers and sites, with how many there are in each run, and what else is on the map. */
export class Legend {
  readonly root = element("section", "legend");
  private readonly counts: { cells: HTMLElement[]; kind: "mover" | "site"; state: number }[] = [];
  private shown = "";

  constructor(
    private readonly runs: Run[],
    private readonly looks: Looks,
  ) {
    const { header } = runs[0];
    this.group("site", header.sites_heading, header.site_marks);
    this.group("mover", `${capital(header.mover_word)}s`, header.mover_marks);
    this.rest(header);
  }

  show(time: number): void {
    const key = this.runs.map((run) => run.epoch(time)).join(" ");
    if (key === this.shown) return;
    this.shown = key;
    this.runs.forEach((run, number) => {
      const epoch = run.epoch(time);
      const tallies = { mover: run.tally("mover", epoch), site: run.tally("site", epoch) };
      for (const row of this.counts) row.cells[number].textContent = String(tallies[row.kind].get(row.state) ?? 0);
    });
  }

  private group(kind: "mover" | "site", title: string, marks: Mark[]): void {
    const table = element("table");
    const head = table.createTHead().insertRow();
    head.append(element("th", "", title), ...this.runs.map((run, at) => chip(run.header.agent, at)));
    marks.forEach((mark, state) => {
      const cells = this.runs.map(() => element("td", "count"));
      this.row(table, sample(mark), mark.name, mark.meaning).append(...cells);
      this.counts.push({ cells, kind, state });
    });
    this.root.append(table);
  }

  private row(table: HTMLTableElement, drawn: SVGElement, name: string, meaning: string): HTMLTableRowElement {
    const row = table.insertRow();
    const cell = element("td", "name");
    cell.append(drawn, element("span", "", name));
    cell.title = meaning;
    row.append(cell);
    return row;
  }

  private rest(header: RunHeader): void {
    const table = element("table");
    const way = header.trails ? "way it came" : "way ahead";
    this.row(table, lineSample(this.looks.way, 2, header.trails), way, `The way of a ${header.mover_word}.`);
    for (const mark of header.link_marks) {
      this.row(table, lineSample(mark.edge, mark.edge_px, true), mark.name, mark.meaning);
    }
    if (header.link_marks.length) {
      const [{ edge, edge_px }] = header.link_marks;
      const meaning = `The longest chain of work in a ${header.group_word}.`;
      this.row(table, lineSample(edge, edge_px * this.looks.critical_grows, true), "critical path", meaning);
    }
    if (header.group_word) {
      this.row(table, outlineSample(this.looks), `one ${header.group_word}`, `Its ${header.site_word}s lie in it.`);
    }
    const many = `A number stands for as many ${header.mover_word}s at one place.`;
    this.row(table, badgeSample(this.looks), `several ${header.mover_word}s`, many);
    this.root.append(table);
  }
}

/** Counts over time, a row for each part: of the runs one below the other. */
export class CountTable {
  readonly root = element("section", "table");
  private readonly cells: HTMLElement[][] = [];

  constructor(private readonly runs: Run[]) {
    this.root.append(element("h2", "", runs[0].header.table!.title));
    runs.forEach((run, number) => {
      const { rows, columns } = run.header.table!;
      const table = element("table");
      const head = table.createTHead().insertRow();
      const name = chip(run.header.agent, number);
      name.classList.add("first");
      head.append(name, ...columns.map((column) => element("th", "count", column)));
      const cells: HTMLElement[] = [];
      for (const row of rows) {
        const line = table.insertRow();
        const values = columns.map(() => element("td", "count"));
        line.append(element("td", "", row), ...values);
        cells.push(...values);
      }
      this.cells.push(cells);
      this.root.append(table);
    });
  }

  show(time: number): void {
    this.runs.forEach((run, number) => {
      const cells = this.cells[number];
      const from = run.epoch(time) * cells.length;
      const counts = run.array("table");
      cells.forEach((cell, at) => {
        const words = String(counts[from + at]);
        if (cell.textContent !== words) cell.textContent = words;
      });
    });
  }
}

/** The events of the mover or site that was clicked; each line seeks. */
export class Story {
  readonly root = element("section", "story");
  private lines: { time: number; line: HTMLElement }[] = [];

  constructor(
    private readonly seek: (time: number) => void,
    private readonly close: () => void,
    private readonly hint: string,
  ) {
    this.show(null, null);
  }

  show(run: Run | null, picked: Picked | null): void {
    this.lines = [];
    if (!run || !picked) {
      this.root.replaceChildren(element("p", "hint", this.hint));
      return;
    }
    const list = element("ol");
    for (const event of run.story(picked)) {
      const line = element("li");
      const button = element("button", "event");
      button.append(element("time", "", clock(event.time, run.header)), element("span", "", event.text));
      button.addEventListener("click", () => this.seek(event.time));
      line.append(button);
      list.append(line);
      this.lines.push({ time: event.time, line });
    }
    const head = element("h2", "", `${capital(run.name(picked))}, ${run.header.agent}`);
    const close = element("button", "close", "×");
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", () => this.close());
    head.append(close);
    this.root.replaceChildren(head, list);
    if (!this.lines.length) this.root.append(element("p", "hint", "Nothing happens to it in this episode."));
  }

  mark(time: number): void {
    for (const { time: at, line } of this.lines) {
      const past = at <= time + 1e-6;
      if (line.classList.contains("past") !== past) line.classList.toggle("past", past);
    }
  }
}

function chip(agent: string, number: number): HTMLTableCellElement {
  const cell = element("th", "count agent", agent);
  cell.style.color = RUN_COLOURS[number];
  return cell;
}

const SVG = "http://www.w3.org/2000/svg";

export function shape(name: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

function framed(...shapes: SVGElement[]): SVGElement {
  const svg = shape("svg", { viewBox: "-11 -11 22 22", "aria-hidden": "true" });
  svg.append(...shapes);
  return svg;
}

function sample(mark: Mark): SVGElement {
  const look = { fill: mark.face, stroke: mark.edge, "stroke-width": mark.edge_px };
  if (mark.outline.length === 0) return framed(shape("circle", { r: 6.5, ...look }));
  const size = Math.max(mark.size_px, 5.5);
  const points = mark.outline.map(([u, v]) => `${u * size},${-v * size}`).join(" ");
  return framed(shape(mark.face === "none" ? "polyline" : "polygon", { points, ...look }));
}

function lineSample(colour: string, width: number, head: boolean): SVGElement {
  const line = shape("line", { x1: -10, y1: 0, x2: head ? 4 : 10, y2: 0, stroke: colour, "stroke-width": width });
  return head ? framed(line, shape("polygon", { points: "11,0 1,4.5 4,0 1,-4.5", fill: colour })) : framed(line);
}

function outlineSample(looks: Looks): SVGElement {
  const look = { fill: looks.outline_face, stroke: looks.outline_edge };
  return framed(shape("rect", { x: -10, y: -7, width: 20, height: 14, rx: 7, ...look }));
}

function badgeSample(looks: Looks): SVGElement {
  const words = shape("text", { x: 0, y: 3.6, fill: "#fff", "font-size": 10, "font-weight": 600, "text-anchor": "middle" });
  words.textContent = "12";
  return framed(shape("rect", { x: -10, y: -7, width: 20, height: 14, rx: 7, fill: looks.ink }), words);
}

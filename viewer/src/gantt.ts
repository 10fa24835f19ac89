// A chart of the sites of a group: when each was claimed, waited and worked at, and when the group was due.

import { capital, clock, element, shape } from "./panels";
import type { Picked, Run } from "./run";

const ROW = 17;
const LEFT = 26; // for the numbers of the sites
const TOP = 4;
const BOTTOM = 18;

export class Gantt {
  readonly root = element("section", "gantt");
  private run: Run | null = null;
  private line: SVGElement | null = null;
  private scale: (time: number) => number = () => 0;

  constructor(
    private readonly seek: (time: number) => void,
    private readonly pick: (site: number) => void,
  ) {}

  /** Show the group of a site; nothing for what belongs to none. */
  show(run: Run | null, picked: Picked | null): void {
    const spans = run?.header.spans;
    const group = run && spans && picked?.kind === "site" ? run.siteGroup[picked.number] : -1;
    this.run = group >= 0 ? run : null;
    this.root.replaceChildren();
    if (!run || !spans || group < 0) return;
    const sites = run.groupOf(group);
    const [first, last] = this.range(run, group, sites);
    const title = `${capital(run.header.group_word)} ${group}: ${sites.length} ${run.header.site_word}s`;
    const head = element("h2", "", title);
    this.root.append(head); // an empty section has no width
    const width = Math.max(head.clientWidth, 120);
    const height = TOP + ROW * sites.length + BOTTOM;
    this.scale = (time) => LEFT + ((time - first) / Math.max(last - first, 1)) * (width - LEFT - 4);
    const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, width, height, class: "chart" });
    this.drawDates(svg, run, group, height);
    sites.forEach((site, at) => this.drawRow(svg, run, site, TOP + ROW * at, site === picked!.number));
    this.line = shape("line", { y1: 0, y2: height - BOTTOM, stroke: "#1b2a4a", "stroke-width": 1 });
    svg.append(this.line);
    svg.addEventListener("click", (event) => this.click(event as MouseEvent, svg, sites, first, last));
    this.root.append(svg, this.key(run, group));
  }

  mark(time: number): void {
    if (!this.run || !this.line) return;
    const x = Math.max(this.scale(time), LEFT);
    this.line.setAttribute("x1", String(x));
    this.line.setAttribute("x2", String(x));
  }

  private range(run: Run, group: number, sites: number[]): [number, number] {
    const times = this.dates(run, group);
    for (const site of sites) times.push(...this.bounds(run, site).filter((time) => time >= 0));
    return [Math.min(...times), Math.max(...times)];
  }

  private dates(run: Run, group: number): number[] {
    const count = run.header.spans!.group_names.length;
    return Array.from({ length: count }, (_, at) => run.array("group_times")[group * count + at] / 10);
  }

  private bounds(run: Run, site: number): number[] {
    const count = run.header.spans!.names.length + 1;
    return Array.from({ length: count }, (_, at) => run.array("span_bounds")[site * count + at] / 10);
  }

  private drawDates(svg: SVGElement, run: Run, group: number, height: number): void {
    this.dates(run, group).forEach((time, at, all) => {
      const x = this.scale(time);
      const dashes = at === all.length - 1 ? "" : "3 3";
      const colour = at === all.length - 1 ? "#d55e00" : "#9aa0ad";
      svg.append(
        shape("line", { x1: x, x2: x, y1: 0, y2: height - BOTTOM, stroke: colour, "stroke-dasharray": dashes }),
      );
      const anchor = at === 0 ? "start" : "end";
      if (at !== 1) {
        const words = shape("text", { x: at === 0 ? x : x + 4, y: height - 5, "text-anchor": anchor, class: "date" });
        words.textContent = clock(time, run.header);
        svg.append(words);
      }
    });
  }

  private drawRow(svg: SVGElement, run: Run, site: number, top: number, chosen: boolean): void {
    const words = shape("text", { x: LEFT - 6, y: top + 12, "text-anchor": "end", class: chosen ? "chosen" : "" });
    words.textContent = String(site);
    svg.append(words);
    const bounds = this.bounds(run, site);
    run.header.spans!.colours.forEach((colour, at) => {
      const [from, to] = [bounds[at], bounds[at + 1]];
      if (from < 0 || to < from) return;
      const width = Math.max(this.scale(to) - this.scale(from), to > from ? 1.5 : 0);
      svg.append(shape("rect", { x: this.scale(from), y: top + 3, width, height: ROW - 6, rx: 2, fill: colour }));
    });
  }

  private key(run: Run, group: number): HTMLElement {
    const key = element("p", "key");
    const { names, colours, group_names } = run.header.spans!;
    names.forEach((name, at) => {
      const swatch = element("i");
      swatch.style.background = colours[at];
      const label = element("span", "label");
      label.append(swatch, name);
      key.append(label);
    });
    const dates = this.dates(run, group).map((time, at) => `${group_names[at]} ${clock(time, run.header)}`);
    key.append(element("span", "dates", dates.join(" · ")));
    return key;
  }

  private click(event: MouseEvent, svg: SVGElement, sites: number[], first: number, last: number): void {
    const box = svg.getBoundingClientRect();
    const [x, row] = [event.clientX - box.left, Math.floor((event.clientY - box.top - TOP) / ROW)];
    if (x < LEFT) {
      if (sites[row] !== undefined) this.pick(sites[row]);
    } else this.seek(first + ((x - LEFT) / (box.width - LEFT - 4)) * (last - first));
  }
}

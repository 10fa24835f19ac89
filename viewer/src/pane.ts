// Draws one run on a canvas: the ground once for each view, everything that moves at every frame.

import type { City } from "./city";
import { crowds, ring } from "./crowds";
import { Ground } from "./ground";
import { Marks, type Point, hullOf } from "./marks";
import type { Picked, Run } from "./run";
import type { Looks } from "./unpack";
import type { View } from "./view";

const PICK_PX = 16;
const PICKED = "#d55e00";
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));
const PATIENCE = 0.6; // of a cycle, for which the way that a mover came is shown

export interface Drawn {
  mover: number;
  x: number;
  y: number;
  heading: number;
  state: number;
  moving: boolean;
}

export class Pane {
  readonly canvas = document.createElement("canvas");
  private readonly pen = this.canvas.getContext("2d")!;
  private readonly ground: Ground;
  private readonly marks: Marks;
  private readonly aside: Float64Array; // how far sites of groups at one place are moved apart, in radii and radians
  private readonly usual: number;
  private width = 0;
  private height = 0;
  private density = 1;

  constructor(
    readonly run: Run,
    city: City,
    private readonly looks: Looks,
    private readonly view: View,
  ) {
    this.ground = new Ground(city, looks, view);
    this.marks = new Marks(this.pen, looks);
    this.aside = ranksOf(run);
    const few = (run.header.usual_marks / Math.max(run.movers + run.sites, 1)) ** 0.25;
    this.usual = Math.min(Math.max(few, 1), 1.6);
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `Map of ${run.header.title}, ${run.header.agent}`);
  }

  get size(): [number, number] {
    return [this.width, this.height];
  }

  resize(): void {
    const box = this.canvas.getBoundingClientRect();
    this.density = Math.min(window.devicePixelRatio || 1, 2);
    [this.width, this.height] = [Math.max(box.width, 1), Math.max(box.height, 1)];
    this.canvas.width = Math.round(this.width * this.density);
    this.canvas.height = Math.round(this.height * this.density);
    this.ground.resize(this.width, this.height, this.density);
  }

  draw(time: number, picked: Picked | null): void {
    const { pen } = this;
    this.ground.draw();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(this.ground.canvas, 0, 0);
    pen.setTransform(this.density, 0, 0, this.density, 0, 0);
    pen.lineJoin = "round";
    this.marks.enlarged = this.enlarged();
    const epoch = this.run.epoch(time);
    const movers = this.movers(time, epoch);
    this.drawGroups(time, epoch, picked);
    this.drawWays(movers, time, picked);
    this.drawLinks(epoch);
    this.drawSites(time, epoch);
    this.drawMovers(movers, time, epoch);
    if (picked) this.drawPicked(picked, time, epoch);
  }

  /** What is nearest to a place on the canvas, if it is near. */
  pick(x: number, y: number, time: number): Picked | null {
    let best: Picked | null = null;
    let nearest = PICK_PX;
    const consider = (kind: "mover" | "site", number: number, [px, py]: Point, closer: number) => {
      const distance = Math.hypot(px - x, py - y) - closer;
      if (distance < nearest) [nearest, best] = [distance, { kind, number }];
    };
    const epoch = this.run.epoch(time);
    for (let site = 0; site < this.run.sites; site++) {
      const state = this.run.siteState(site, time, epoch);
      if (state === null || this.run.siteAge(site, time) > this.looks.fades_s) continue;
      consider("site", site, this.centre(site), 0);
    }
    for (const of of this.movers(time, epoch)) consider("mover", of.mover, [of.x, of.y], of.moving ? 4 : -1);
    return best;
  }

  /** Where the middle of a site is on the canvas. */
  centre(site: number): Point {
    const [x, y] = this.pixels(this.run.siteX[site], this.run.siteY[site]);
    const rank = this.aside[site];
    if (rank === 0) return [x, y];
    const distance = (2 * this.marks.radius(this.run.siteSize(site, 0)) + 2) * Math.sqrt(rank);
    return [x + distance * Math.cos(GOLDEN_ANGLE * rank), y - distance * Math.sin(GOLDEN_ANGLE * rank)];
  }

  private enlarged(): number {
    const small = Math.min(Math.max(Math.sqrt(Math.min(this.width, this.height) / 560), 0.6), 1.1);
    return this.usual * small * Math.min(Math.max(this.view.magnified ** 0.25, 1), 1.8);
  }

  private pixels(x: number, y: number): Point {
    return this.view.toPixels(x, y, this.width, this.height);
  }

  private movers(time: number, epoch: number): Drawn[] {
    const found: Drawn[] = [];
    for (let mover = 0; mover < this.run.movers; mover++) {
      const place = this.run.place(mover, time);
      const [x, y] = this.pixels(place.x, place.y);
      const state = this.run.moverState(mover, time, place.moving, epoch);
      found.push({ mover, x, y, heading: place.heading, state, moving: place.moving });
    }
    return found;
  }

  private drawGroups(time: number, epoch: number, picked: Picked | null): void {
    if (!this.run.header.group_word) return;
    const places = new Map<number, Point[]>();
    for (let site = 0; site < this.run.sites; site++) {
      const group = this.run.siteGroup[site];
      if (group < 0 || this.run.siteState(site, time, epoch) === null || this.run.siteAge(site, time) > 0) continue;
      const members = places.get(group);
      if (members) members.push(this.centre(site));
      else places.set(group, [this.centre(site)]);
    }
    const chosen = picked?.kind === "site" ? this.run.siteGroup[picked.number] : -1;
    for (const [group, points] of places) {
      const path = this.marks.around(hullOf(points), this.looks.outline_gap_px * this.marks.enlarged);
      this.pen.fillStyle = group === chosen ? "rgba(213, 94, 0, 0.12)" : this.looks.outline_face;
      this.pen.fill(path);
      this.pen.strokeStyle = group === chosen ? PICKED : this.looks.outline_edge;
      this.pen.lineWidth = group === chosen ? 2 : 1;
      this.pen.stroke(path);
    }
  }

  private drawLinks(epoch: number): void {
    const { links, linkCritical, header } = this.run;
    this.pen.globalAlpha = 0.8;
    for (let link = 0; 2 * link < links.length; link++) {
      const state = this.run.linkState(link, epoch);
      if (state === null) continue;
      const [from, to] = [links[2 * link], links[2 * link + 1]];
      const gap = (site: number) => this.marks.radius(this.run.siteSize(site, epoch)) + 1.5;
      const { edge, edge_px } = header.link_marks[state];
      const width = edge_px * (linkCritical[link] ? this.looks.critical_grows : 1);
      this.marks.arrow(this.centre(from), this.centre(to), [gap(from), gap(to)], edge, width);
    }
    this.pen.globalAlpha = 1;
  }

  private drawWays(movers: Drawn[], time: number, picked: Picked | null): void {
    const [ways, chosen] = [new Path2D(), new Path2D()];
    for (const of of movers) {
      const path = picked?.kind === "mover" && picked.number === of.mover ? chosen : ways;
      if (this.run.header.trails) this.trail(of, time);
      else if (of.moving) {
        path.moveTo(of.x, of.y);
        this.run.ahead(of.mover, time, (x, y) => path.lineTo(...this.pixels(x, y)));
      }
    }
    this.pen.strokeStyle = this.looks.way;
    for (const [path, opacity, width] of [[ways, 0.42, 1.6], [chosen, 1, 3.5]] as const) {
      this.pen.globalAlpha = opacity;
      this.pen.lineWidth = width;
      this.pen.stroke(path);
    }
    this.pen.globalAlpha = 1;
  }

  private trail(of: Drawn, time: number): void {
    const from = this.run.cameFrom(of.mover, time, PATIENCE);
    if (!from) return;
    this.pen.globalAlpha = 0.65;
    const gap = of.moving ? 0 : this.marks.radius(this.run.siteSize(0, 0)) + 1;
    this.marks.arrow(this.pixels(from.x, from.y), [of.x, of.y], [0, gap], this.looks.way, 1.8);
    this.pen.globalAlpha = 1;
  }

  private drawSites(time: number, epoch: number): void {
    const found: [number, number, number][] = []; // site, state, radius
    for (let site = 0; site < this.run.sites; site++) {
      const state = this.run.siteState(site, time, epoch);
      if (state !== null) found.push([site, state, this.marks.radius(this.run.siteSize(site, epoch))]);
    }
    found.sort((a, b) => b[2] - a[2]); // large ones below small ones
    for (const [site, state, radius] of found) {
      const mark = this.run.header.site_marks[state];
      const [x, y] = this.centre(site);
      if (mark.outline.length === 0) {
        this.marks.disc(x, y, radius, mark);
        continue;
      }
      const seen = 1 - this.run.siteAge(site, time) / this.looks.fades_s;
      if (seen <= 0) continue;
      this.pen.globalAlpha = seen;
      this.marks.outline(x, y, 0, mark);
      this.pen.globalAlpha = 1;
    }
  }

  private drawMovers(movers: Drawn[], time: number, epoch: number): void {
    const { header } = this.run;
    const side = this.looks.same_place_px;
    for (let state = 0; state < header.mover_marks.length; state++) {
      const mark = header.mover_marks[state];
      const atSite = mark.place === "site";
      const chosen = movers.filter((of) => of.state === state);
      const cell = (of: Drawn) => `${Math.floor(of.x / side)} ${Math.floor(of.y / side)}`;
      const key = atSite ? (of: Drawn) => `${this.run.siteOf(of.mover, time)}` : cell;
      for (const group of crowds(chosen, key)) {
        const site = atSite ? this.run.siteOf(group[0].mover, time) : -1;
        const radius = site >= 0 ? this.marks.radius(this.run.siteSize(site, epoch)) : 0;
        const middle: Point = site >= 0 ? this.centre(site) : middleOf(group);
        if (group.length >= this.looks.crowd) {
          const above = radius > 0 ? radius + this.looks.crew_gap_px * this.marks.enlarged : 0;
          this.marks.outline(middle[0], middle[1] - above, group[0].heading, mark, 1.5);
          this.marks.badge(middle[0], middle[1] - above, group.length);
        } else if (site >= 0) {
          ring(group.length, radius, this.looks, this.marks.enlarged).forEach(([dx, dy]) =>
            this.marks.outline(middle[0] + dx, middle[1] - dy, 0, mark),
          );
        } else this.spread(group, mark);
      }
    }
  }

  /** Movers at one and the same place, side by side. */
  private spread(group: Drawn[], mark: Run["header"]["mover_marks"][number]): void {
    const seen = new Map<string, number>();
    for (const of of group) {
      const key = `${of.x.toFixed(1)} ${of.y.toFixed(1)}`;
      const rank = seen.get(key) ?? 0;
      seen.set(key, rank + 1);
      const distance = this.looks.spread_px * this.marks.enlarged * Math.sqrt(rank);
      const [dx, dy] = [distance * Math.cos(GOLDEN_ANGLE * rank), distance * Math.sin(GOLDEN_ANGLE * rank)];
      this.marks.outline(of.x + dx, of.y - dy, mark.place === "way" ? of.heading : 0, mark);
    }
  }

  private drawPicked(picked: Picked, time: number, epoch: number): void {
    let [x, y]: Point = [0, 0];
    let radius = 16;
    if (picked.kind === "mover") {
      const place = this.run.place(picked.number, time);
      [x, y] = this.pixels(place.x, place.y);
    } else {
      [x, y] = this.centre(picked.number);
      radius = this.marks.radius(this.run.siteSize(picked.number, epoch)) + 6;
    }
    const { pen } = this;
    for (const [colour, width] of [["#ffffff", 5], [PICKED, 2.5]] as const) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.beginPath();
      pen.arc(x, y, radius, 0, 2 * Math.PI);
      pen.stroke();
    }
  }
}

function middleOf(group: Drawn[]): Point {
  const sum = group.reduce(([x, y], of) => [x + of.x, y + of.y], [0, 0]);
  return [sum[0] / group.length, sum[1] / group.length];
}

/** How many sites of groups at the same place come before each. */
function ranksOf(run: Run): Float64Array {
  const seen = new Map<string, number>();
  return Float64Array.from({ length: run.sites }, (_, site) => {
    if (!run.header.group_word) return 0;
    const key = `${run.siteX[site]} ${run.siteY[site]}`;
    const rank = seen.get(key) ?? 0;
    seen.set(key, rank + 1);
    return rank;
  });
}

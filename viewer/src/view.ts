// Which part of the city is shown: shared by all panes.

import type { City } from "./city";
import type { Run } from "./run";

const SPARE = 1.16; // room around what is fitted in
const [LEAST_SCALE, MOST_SCALE] = [0.002, 4]; // pixels a metre

export class View {
  centreX = 0;
  centreY = 0;
  pixelsPerMetre = 1;
  version = 0; // grows with every change
  private fitted = 1;
  private readonly box: [number, number, number, number]; // left, right, bottom, top: what is fitted in

  constructor(
    private readonly city: City,
    private readonly runs: Run[],
  ) {
    const [x, y] = this.places();
    this.box = [...percentiles(x), ...percentiles(y)];
  }

  /** How far one has zoomed in: 1 where all is fitted in. */
  get magnified(): number {
    return this.pixelsPerMetre / this.fitted;
  }

  /** The scale at which the land, or where most sites are, fits into some room. */
  scaleFor(width: number, height: number): number {
    const [left, right, bottom, top] = this.box;
    return Math.min(width / ((right - left) * SPARE + 1), height / ((top - bottom) * SPARE + 1));
  }

  /** Show the land, or where most sites are. */
  fit(width: number, height: number): void {
    const [left, right, bottom, top] = this.box;
    this.centreX = (left + right) / 2;
    this.centreY = (bottom + top) / 2;
    this.fitted = this.scaleFor(width, height);
    this.pixelsPerMetre = this.fitted;
    this.version++;
  }

  toPixels(x: number, y: number, width: number, height: number): [number, number] {
    return [
      width / 2 + (x - this.centreX) * this.pixelsPerMetre,
      height / 2 - (y - this.centreY) * this.pixelsPerMetre,
    ];
  }

  pan(dx: number, dy: number): void {
    this.centreX -= dx / this.pixelsPerMetre;
    this.centreY += dy / this.pixelsPerMetre;
    this.version++;
  }

  zoom(factor: number, atX: number, atY: number, width: number, height: number): void {
    const scale = Math.min(Math.max(this.pixelsPerMetre * factor, LEAST_SCALE), MOST_SCALE);
    const moved = 1 / this.pixelsPerMetre - 1 / scale;
    this.centreX += (atX - width / 2) * moved;
    this.centreY -= (atY - height / 2) * moved;
    this.pixelsPerMetre = scale;
    this.version++;
  }

  private places(): [number[], number[]] {
    const land = this.city.areas.filter((area) => area.kind === 0);
    if (land.length) return [land.flatMap((area) => area.x), land.flatMap((area) => area.y)];
    const [x, y]: [number[], number[]] = [[], []];
    for (const run of this.runs) {
      for (let site = 0; site < run.sites; site++) {
        if (!run.isEver(site)) continue;
        x.push(run.siteX[site]);
        y.push(run.siteY[site]);
      }
    }
    return x.length ? [x, y] : [[...this.city.x], [...this.city.y]];
  }
}

function percentiles(values: number[]): [number, number] {
  const sorted = values.slice().sort((a, b) => a - b);
  return [sorted[Math.floor(0.01 * (sorted.length - 1))], sorted[Math.ceil(0.99 * (sorted.length - 1))]];
}

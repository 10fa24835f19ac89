// Which part of the city is shown: shared by all panes.

import type { City, Run } from "./run";

export class View {
  centreX = 0;
  centreY = 0;
  pixelsPerMetre = 1;
  version = 0; // grows with every change

  constructor(
    private readonly city: City,
    private readonly runs: Run[],
  ) {}

  /** Show where most sites and movers are. */
  fit(width: number, height: number): void {
    const [x, y] = [this.runs.flatMap((run) => [...run.siteX]), this.runs.flatMap((run) => [...run.siteY])];
    const [left, right] = percentiles(x.length ? x : [...this.city.x]);
    const [bottom, top] = percentiles(y.length ? y : [...this.city.y]);
    this.centreX = (left + right) / 2;
    this.centreY = (bottom + top) / 2;
    const spare = 1.16;
    this.pixelsPerMetre = Math.min(width / ((right - left) * spare + 1), height / ((top - bottom) * spare + 1));
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
    const scale = Math.min(Math.max(this.pixelsPerMetre * factor, 0.002), 4);
    const moved = 1 / this.pixelsPerMetre - 1 / scale;
    this.centreX += (atX - width / 2) * moved;
    this.centreY -= (atY - height / 2) * moved;
    this.pixelsPerMetre = scale;
    this.version++;
  }
}

function percentiles(values: number[]): [number, number] {
  const sorted = values.slice().sort((a, b) => a - b);
  return [sorted[Math.floor(0.01 * (sorted.length - 1))], sorted[Math.ceil(0.99 * (sorted.length - 1))]];
}

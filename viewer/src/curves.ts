// Figures of the runs over time, with a line at the present moment; a click or drag seeks.

import uPlot from "uplot";
import { RUN_COLOURS, capital, clock, element } from "./panels";
import type { Run } from "./run";

export class Curve {
  readonly root = element("section", "curve");
  private readonly box = element("div");
  private plot: uPlot | null = null;
  private now = 0;

  constructor(
    private readonly runs: Run[],
    private readonly name: string,
    private readonly seek: (time: number) => void,
  ) {
    this.root.append(element("h2", "", capital(name)), this.box);
  }

  resize(height: number): void {
    const width = Math.max(this.box.clientWidth, 160);
    if (this.plot) {
      if (this.plot.width !== width || this.plot.height !== height) this.plot.setSize({ width, height });
      return;
    }
    this.plot = new uPlot(this.options(width, height), this.data(), this.box);
    const { over } = this.plot;
    const follow = (event: PointerEvent) => {
      const left = event.clientX - over.getBoundingClientRect().left;
      this.seek(this.plot!.posToVal(left, "x"));
    };
    over.addEventListener("pointerdown", (event) => {
      over.setPointerCapture(event.pointerId);
      follow(event);
    });
    over.addEventListener("pointermove", (event) => {
      if (over.hasPointerCapture(event.pointerId)) follow(event);
    });
  }

  show(time: number): void {
    if (Math.abs(time - this.now) * this.pixelsPerUnit() < 0.5) return;
    this.now = time;
    this.plot?.redraw(false, false);
  }

  private pixelsPerUnit(): number {
    return this.plot ? this.plot.over.clientWidth / Math.max(this.runs[0].end, 1e-9) : 0;
  }

  private data(): uPlot.AlignedData {
    const longest = this.runs.reduce((a, b) => (b.time.length > a.time.length ? b : a));
    const times = Array.from(longest.time);
    const values = this.runs.map((run) => times.map((_, at) => run.series(this.name)[at] ?? null));
    return [times, ...values] as uPlot.AlignedData;
  }

  private options(width: number, height: number): uPlot.Options {
    const { header } = this.runs[0];
    const ticks = { stroke: "#6b7284", font: "11px system-ui, sans-serif", ticks: { show: false } };
    const hours = (time: number) => (header.time === "cycles" ? String(time) : clock(time, header).slice(0, -3));
    return {
      width,
      height,
      legend: { show: false },
      cursor: { show: false },
      padding: [6, 18, 0, 0],
      scales: { x: { time: false }, y: { range: (_, low, high) => [Math.min(low, 0), high > 0 ? high * 1.05 : 1] } },
      axes: [
        { ...ticks, values: (_, at) => at.map(hours), space: 45, size: 24, gap: 6, grid: { show: false }, incrs: steps(header.time) },
        { ...ticks, values: (_, at) => at.map(compact), size: 46, space: 32, grid: { stroke: "#efeae0", width: 1 } },
      ],
      series: [
        {},
        ...this.runs.map((run, number) => ({
          label: run.header.agent,
          stroke: RUN_COLOURS[number],
          width: 2,
          points: { show: false },
        })),
      ],
      hooks: { draw: [(plot) => this.drawNow(plot)] },
    };
  }

  private drawNow(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const x = plot.valToPos(this.now, "x", true);
    ctx.save();
    ctx.strokeStyle = "#1b2a4a";
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    this.runs.forEach((run, number) => {
      const value = run.series(this.name)[run.epoch(this.now)];
      ctx.fillStyle = RUN_COLOURS[number];
      ctx.beginPath();
      ctx.arc(x, plot.valToPos(value, "y", true), 3.5 * devicePixelRatio, 0, 2 * Math.PI);
      ctx.fill();
    });
    ctx.restore();
  }
}

/** Between which times marks on the axis may be: whole minutes and hours, or cycles. */
function steps(time: "seconds" | "cycles"): number[] {
  const round = [1, 2, 5, 10, 20, 50, 100, 200, 500];
  return time === "cycles" ? round : [...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60), ...round.map((h) => h * 3600)];
}

function compact(value: number): string {
  return value >= 1000 ? `${+(value / 1000).toPrecision(3)}k` : String(+value.toPrecision(3));
}

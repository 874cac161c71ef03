// Charts of one series: drawn as SVG, pointed at by mouse or finger, read as a table by those who do not see them.

import { PointerEvent, ReactNode, useEffect, useId, useRef, useState } from "react";
import { useLocale } from "../base/locale";

export interface Point {
  /** When, in milliseconds; or any number that rises. */
  readonly at: number;
  readonly value: number;
  readonly label: string;
  /** What stands below it at the ends of the chart. */
  readonly edge?: string;
  readonly tone?: "good" | "bad" | "warn" | "neutral";
  readonly onPick?: () => void;
}

function useWidth(): [React.RefObject<HTMLDivElement>, number] {
  const element = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const { current } = element;
    if (!current) return;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}

/** Round numbers that lie in a range, about so many; sizes in bytes are round in powers of 1024. */
export function ticks(low: number, high: number, count: number, isBinary: boolean): readonly number[] {
  if (high <= low) return [low];
  const rough = (high - low) / count;
  const unit = isBinary ? 1024 ** Math.max(0, Math.floor(Math.log(rough) / Math.log(1024))) : 1;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough / unit, 1e-9)));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough / unit) ?? 10) * power * unit;
  const found: number[] = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step) found.push(value);
  return found;
}

interface ChartProps {
  readonly title: string;
  readonly points: readonly Point[];
  /** With more digits where neighbours would read alike. */
  readonly write: (value: number, digits?: number) => string;
  readonly isBinary?: boolean;
  readonly height?: number;
}

const room = { top: 8, right: 8, bottom: 22, left: 64 };

/** The frame of a chart: its scale, what is pointed at, and its table. */
function Frame({ title, points, write, isBinary = false, height = 200, fromZero, place, edges, children }: ChartProps & {
  readonly fromZero: boolean;
  /** Where a point stands, from 0 to 1. */
  readonly place: (index: number) => number;
  readonly edges: readonly (readonly [share: number, label: string])[];
  readonly children: (area: { x: (index: number) => number; y: (value: number) => number; width: number; floor: number; picked: number | undefined }) => ReactNode;
}) {
  const { t } = useLocale();
  const [element, width] = useWidth();
  const [picked, setPicked] = useState<number>();
  const label = useId();
  const values = points.map((point) => point.value);
  const most = Math.max(...values);
  const least = fromZero ? 0 : Math.min(...values);
  const margin = fromZero ? 0 : (most - least || most || 1) * 0.15;
  const low = Math.max(0, least - margin);
  const high = Math.max(most + margin, low + 1e-9);
  const found = ticks(low, high, 4, isBinary);
  // A scale from nothing ends with a mark above the largest.
  const beyond = (found[found.length - 1] ?? 0) + ((found[1] ?? high) - (found[0] ?? 0));
  const marks = fromZero && (found[found.length - 1] ?? 0) < most ? [...found, beyond] : found;
  const top = fromZero ? (marks[marks.length - 1] ?? high) : high;
  const digits = [1, 2, 3].find((count) => new Set(marks.map((mark) => write(mark, count))).size === marks.length) ?? 1;
  const inner = Math.max(0, width - room.left - room.right);
  const floor = height - room.bottom;
  const x = (index: number) => room.left + place(index) * inner;
  const y = (value: number) => floor - ((value - low) / (top - low)) * (floor - room.top);
  const point = (event: PointerEvent<SVGSVGElement>) => {
    const at = event.clientX - event.currentTarget.getBoundingClientRect().left;
    let nearest = 0;
    points.forEach((_, index) => { if (Math.abs(x(index) - at) < Math.abs(x(nearest) - at)) nearest = index; });
    setPicked(nearest);
  };
  const shown = picked === undefined ? undefined : points[picked];
  return (
    <div className="chart" ref={element} style={{ height }}>
      {width > 0 && (
        <svg
          width={width} height={height} role="img" aria-labelledby={label} onPointerMove={point} onPointerDown={point} onPointerLeave={() => setPicked(undefined)}
          onClick={() => shown?.onPick?.()} className={points.some((each) => each.onPick) ? "can-pick" : undefined}>
          <title id={label}>{title}</title>
          {marks.map((mark) => (
            <g key={mark}>
              <line className="chart-grid" x1={room.left} x2={width - room.right} y1={y(mark)} y2={y(mark)} />
              <text className="chart-text" x={room.left - 8} y={y(mark)} dy="0.32em" textAnchor="end">{write(mark, digits)}</text>
            </g>
          ))}
          {edges.map(([share, text], index) => (
            <text
              key={index} className="chart-text" x={room.left + share * inner} y={height - 5}
              textAnchor={share < 0.1 ? "start" : share > 0.9 ? "end" : "middle"}>{text}</text>
          ))}
          {children({ x, y, width: inner, floor, picked })}
        </svg>
      )}
      {shown && picked !== undefined && (
        <div className="chart-tip" style={{ left: Math.min(Math.max(x(picked), 70), width - 70), top: Math.max(0, y(shown.value) - 12) }}>
          <strong className="numbers">{write(shown.value, digits)}</strong>
          <span>{shown.label}</span>
        </div>
      )}
      <table className="hidden">
        <caption>{t.chart.table(title)}</caption>
        <thead><tr><th scope="col">{t.chart.when}</th><th scope="col">{t.chart.value}</th></tr></thead>
        <tbody>{points.map((each, index) => <tr key={index}><td>{each.label}</td><td>{write(each.value)}</td></tr>)}</tbody>
      </table>
    </div>
  );
}

/** How something grew over time. */
export function AreaChart(props: ChartProps) {
  const { f } = useLocale();
  const { points } = props;
  const first = points[0]?.at ?? 0;
  const span = Math.max(1, (points[points.length - 1]?.at ?? 0) - first);
  const place = (index: number) => ((points[index]?.at ?? 0) - first) / span;
  const edges = [0, 1 / 3, 2 / 3, 1].map((share) => [share, f.shortDay(first + share * span)] as const);
  const distinct = edges.filter(([, text], index) => edges.findIndex(([, other]) => other === text) === index);
  const gradient = useId();
  return (
    <Frame {...props} fromZero={false} place={place} edges={distinct}>
      {({ x, y, floor, picked }) => {
        const line = points.map((point, index) => `${index === 0 ? "M" : "L"}${x(index).toFixed(1)} ${y(point.value).toFixed(1)}`).join("");
        const at = picked === undefined ? undefined : points[picked];
        return (
          <>
            <defs>
              <linearGradient id={gradient} x1="0" y1="0" x2="0" y2="1">
                <stop offset="0" className="chart-fill-top" />
                <stop offset="1" className="chart-fill-bottom" />
              </linearGradient>
            </defs>
            <path d={`${line}L${x(points.length - 1).toFixed(1)} ${floor}L${x(0).toFixed(1)} ${floor}Z`} fill={`url(#${gradient})`} />
            <path className="chart-line" d={line} />
            {points.length <= 2 && points.map((point, index) => <circle key={index} className="chart-dot" cx={x(index)} cy={y(point.value)} r={3} />)}
            {at && picked !== undefined && (
              <>
                <line className="chart-cross" x1={x(picked)} x2={x(picked)} y1={room.top} y2={floor} />
                <circle className="chart-dot" cx={x(picked)} cy={y(at.value)} r={4} />
              </>
            )}
          </>
        );
      }}
    </Frame>
  );
}

/** A few things side by side, by their size. */
export function BarChart(props: ChartProps) {
  const { points } = props;
  const count = Math.max(points.length, 6);
  const place = (index: number) => (index + 0.5 + (count - points.length) / 2) / count;
  const first = points[0];
  const last = points[points.length - 1];
  const edges = first && last ? (points.length === 1 ? [[place(0), first.edge ?? first.label] as const] : [[place(0), first.edge ?? first.label] as const, [place(points.length - 1), last.edge ?? last.label] as const]) : [];
  return (
    <Frame {...props} fromZero place={place} edges={edges}>
      {({ x, y, width, floor, picked }) => {
        const thick = Math.min(36, Math.max(3, (width / count) * 0.68));
        return points.map((point, index) => (
          <rect
            key={index} className={`chart-bar tone-${point.tone ?? "busy"}${picked === index ? " is-picked" : ""}`} x={x(index) - thick / 2} width={thick} rx={Math.min(3, thick / 3)}
            y={Math.min(y(point.value), floor - 2)} height={Math.max(2, floor - y(point.value))} />
        ));
      }}
    </Frame>
  );
}

/** A small line without a scale, beside a number that says the rest. */
export function Spark({ values }: { readonly values: readonly number[] }) {
  if (values.length < 2) return null;
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const path = values.map((value, index) => `${index === 0 ? "M" : "L"}${((index / (values.length - 1)) * 100).toFixed(1)} ${(22 - ((value - low) / span) * 20).toFixed(1)}`).join("");
  return <svg className="spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true"><path d={path} /></svg>;
}

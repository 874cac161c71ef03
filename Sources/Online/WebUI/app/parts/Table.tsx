import { KeyboardEvent, MouseEvent, ReactNode } from "react";
import { Query } from "../api/query";
import { useLocale } from "../base/locale";
import { navigate, useQueryWords } from "../base/router";
import { IconButton } from "./Button";
import { Icon } from "./Icon";
import { FailureState } from "./States";

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  /** Numbers stand to the right, so that their digits do below each other. */
  readonly isNumber?: boolean;
  /** What the service sorts by; none for a column that cannot be sorted. */
  readonly sort?: string;
  /** Whether the largest come first when the column is chosen. */
  readonly largestFirst?: boolean;
  /** Below which width it is left out. */
  readonly hide?: "phone" | "tablet";
  readonly width?: string;
  /** Takes what the others leave, and is cut rather than widening the table. */
  readonly isMain?: boolean;
}

/** Rows with a head; a row that leads somewhere does so as a whole, and by the link in it. */
export function Table<Row>({ label, columns, rows, keyOf, to, sort, onSort, isOld = false }: {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  /** `undefined` while they are coming. */
  readonly rows: readonly Row[] | undefined;
  readonly keyOf: (row: Row) => string;
  readonly to?: (row: Row) => string | undefined;
  readonly sort?: string;
  readonly onSort?: (sort: string) => void;
  readonly isOld?: boolean;
}) {
  const { t } = useLocale();
  const classOf = (column: Column<Row>) =>
    [column.isNumber && "number", column.hide && `hide-${column.hide}`, column.isMain && "main"].filter(Boolean).join(" ") || undefined;
  const follow = (event: MouseEvent<HTMLTableRowElement>, row: Row) => {
    const target = event.target as HTMLElement;
    const place = to?.(row);
    // What is pressed within the row goes first, and a text that is being selected is not a wish to leave.
    if (place === undefined || target.closest("a, button, input, label") || getSelection()?.toString()) return;
    if (event.metaKey || event.ctrlKey) window.open(`/ui${place}`);
    else navigate(place);
  };
  return (
    <div className="table-frame">
      <table className={`table${isOld ? " is-old" : ""}`} aria-label={label} aria-busy={rows === undefined || isOld}>
        <thead>
          <tr>
            {columns.map((column) => {
              const isSorted = column.sort !== undefined && (sort === column.sort || sort === `-${column.sort}`);
              const isDown = sort?.startsWith("-") ?? false;
              const next = column.sort && (isSorted ? (isDown ? column.sort : `-${column.sort}`) : column.largestFirst ? `-${column.sort}` : column.sort);
              return (
                <th
                  key={column.id} className={classOf(column)} style={column.width ? { width: column.width } : undefined} scope="col"
                  aria-sort={isSorted ? (isDown ? "descending" : "ascending") : undefined}>
                  {next && onSort
                    ? <button type="button" className="sort" onClick={() => onSort(next)} title={t.common.sortBy(column.title)}>
                        <span>{column.title}</span>
                        <span className={`sort-mark${isSorted ? " is-on" : ""}`}><Icon name={isSorted && !isDown ? "up" : "down"} size={12} /></span>
                      </button>
                    : column.title}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {rows === undefined
            ? Array.from({ length: 8 }, (_, index) => (
                <tr key={index}>{columns.map((column) => <td key={column.id} className={classOf(column)}><span className="skeleton-line" /></td>)}</tr>
              ))
            : rows.map((row) => (
                <tr key={keyOf(row)} className={to?.(row) === undefined ? undefined : "leads"} onClick={(event) => follow(event, row)}>
                  {columns.map((column) => <td key={column.id} className={classOf(column)}>{column.cell(row)}</td>)}
                </tr>
              ))}
        </tbody>
      </table>
    </div>
  );
}

export const pageSize = 50;

/** The page that the address asks for, counted from 1. */
export function usePageNumber(): number {
  const [query] = useQueryWords();
  return Math.max(1, Math.floor(Number(query.get("page") ?? 1)) || 1);
}

/** Leads through the pages of a list. */
export function Pager({ total, size = pageSize }: { readonly total: number; readonly size?: number }) {
  const { t, f } = useLocale();
  const [, change] = useQueryWords();
  const page = usePageNumber();
  const last = Math.max(1, Math.ceil(total / size));
  if (total <= size && page === 1) return <p className="pager-total numbers">{t.common.page(f.number(total && 1), f.number(total), f.number(total))}</p>;
  const go = (to: number) => {
    change({ page: to > 1 ? String(to) : undefined });
    window.scrollTo(0, 0);
  };
  const turn = (event: KeyboardEvent) => {
    if (event.key === "ArrowLeft" && page > 1) go(page - 1);
    if (event.key === "ArrowRight" && page < last) go(page + 1);
  };
  return (
    <div className="pager" onKeyDown={turn}>
      <span className="numbers">{t.common.page(f.number((page - 1) * size + 1), f.number(Math.min(page * size, total)), f.number(total))}</span>
      <IconButton icon="left" label={t.common.previous} disabled={page <= 1} onClick={() => go(page - 1)} />
      <IconButton icon="right" label={t.common.next} disabled={page >= last} onClick={() => go(page + 1)} />
    </div>
  );
}

/** A table of a page of a list, with all that may be in its place. */
export function ListTable<Row>({ query, empty, size, ...rest }: {
  readonly query: Query<{ readonly items: readonly Row[]; readonly total: number }>;
  readonly empty: ReactNode;
  readonly size?: number;
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly to?: (row: Row) => string | undefined;
  readonly sort?: string;
  readonly onSort?: (sort: string) => void;
}) {
  const { value, failure } = query;
  if (failure && value === undefined) return <FailureState failure={failure} onRetry={query.reload} />;
  if (value && value.items.length === 0 && value.total === 0) return <>{empty}</>;
  return (
    <>
      <Table {...rest} rows={value?.items} isOld={query.isOld} />
      {value && <Pager total={value.total} {...(size ? { size } : {})} />}
    </>
  );
}

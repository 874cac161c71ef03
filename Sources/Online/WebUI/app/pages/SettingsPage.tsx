// The settings in force, and where each comes from.

import { useQuery } from "../api/query";
import { Setting } from "../api/schema";
import { useLocale } from "../base/locale";
import { useQueryWords } from "../base/router";
import { SearchField } from "../parts/Field";
import { PageHead } from "../parts/Layout";
import { Empty, Loaded } from "../parts/States";
import { Column, Table } from "../parts/Table";

export function SettingsPage() {
  const { t } = useLocale();
  const [query, change] = useQueryWords();
  const settings = useQuery("getSettings", {});
  const search = query.get("search") ?? "";
  const source = (setting: Setting) => {
    const { kind, path, line, name } = setting.source;
    const place = path !== undefined ? (line === undefined ? path : `${path}:${line}`) : name;
    return place === undefined ? t.settings.sources[kind] : `${t.settings.sources[kind]} · ${place}`;
  };
  const columns: readonly Column<Setting>[] = [
    { id: "key", title: t.settings.key, isMain: true, cell: (setting) => <div className="two-lines"><code className="strong cut">{setting.key}</code><code className="quiet cut">{setting.variable}</code></div> },
    {
      id: "value", title: t.settings.value, width: "22rem",
      cell: (setting) => {
        const text = typeof setting.value === "string" ? setting.value : setting.value === null ? "" : setting.value.join(", ");
        return text === "" ? <span className="quiet">–</span> : <code className="cut setting" title={text}>{text}</code>;
      },
    },
    { id: "source", title: t.settings.source, width: "16rem", hide: "tablet", cell: (setting) => <span className={`cut${setting.source.kind === "default" ? " quiet" : ""}`} title={source(setting)}>{source(setting)}</span> },
  ];
  return (
    <>
      <PageHead title={t.settings.title}><p className="page-hint">{t.settings.hint}</p></PageHead>
      <div className="filters"><SearchField label={t.settings.search} jumps value={search} onChange={(text) => change({ search: text }, "replace")} wait={0} /></div>
      <Loaded query={settings} lines={10}>
        {(value) => {
          const found = value.items.filter((setting) => setting.key.includes(search.trim().toLowerCase()));
          return found.length === 0 ? <Empty icon="search" title={t.settings.noMatch} /> : <Table label={t.settings.title} columns={columns} rows={found} keyOf={(setting) => setting.key} />;
        }}
      </Loaded>
    </>
  );
}

// The look of the report's page.

/** CSS of the page; colours follow the reader's system. */
export const pageStyle = `
:root { --paper: #fbfaf7; --ink: #1d2429; --quiet: #66727a; --line: #e2ded4; --card: #ffffff;
  --all: #1f7a5a; --some: #8cc3a8; --none: #e6e2d8; --unknown: #e0a526; --bad: #b3261e; --badbg: #fbe9e7; --mark: #fff1c2; --code: #f3f0e9; }
@media (max-width: 40rem) { .tables { grid-template-columns: 1fr !important; } main { padding: 1.5rem 1rem 3rem; } }
@media (prefers-color-scheme: dark) { :root { --paper: #12171b; --ink: #e6e9ea; --quiet: #93a0a8; --line: #2a3238; --card: #191f24;
  --all: #46b58b; --some: #2b6650; --none: #2a3238; --unknown: #d29a1c; --bad: #ff8a80; --badbg: #34191a; --mark: #574612; --code: #0e1316; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 3rem 1.5rem 5rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 1rem; letter-spacing: -0.01em; text-wrap: balance; }
h2 { font-size: 1.25rem; margin: 3rem 0 0.75rem; }
h3 { font-size: 1rem; margin: 0; }
.eyebrow { margin: 0 0 0.25rem; color: var(--quiet); font-size: 0.85rem; }
.quiet { color: var(--quiet); }
.verdict { font-size: 1.1rem; padding: 0.9rem 1.1rem; border-radius: 10px; background: var(--card); border: 1px solid var(--line); border-left: 5px solid var(--all); margin: 0 0 1.25rem; }
.verdict.bad { border-left-color: var(--bad); background: var(--badbg); }
.verdict.open { border-left-color: var(--unknown); }
.facts { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; margin: 0; }
.facts dt { font-size: 0.8rem; color: var(--quiet); } .facts dd { margin: 0; font-variant-numeric: tabular-nums; font-weight: 600; }
.hole { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem 1.4rem; margin: 0 0 1.25rem; }
.hole h3 { font-size: 1.1rem; }
.code { font: 600 0.8rem ui-monospace, monospace; color: var(--bad); margin: 0 0 0.2rem; }
.says { margin: 0.5rem 0; } .who-line { margin: 0.5rem 0; }
.who { background: var(--code); border-radius: 999px; padding: 0.1rem 0.6rem; font-size: 0.9rem; white-space: nowrap; }
th .who { background: none; padding: 0; }
.proof code, .proof mark { overflow-wrap: anywhere; }
mark { background: var(--mark); color: inherit; border-radius: 4px; padding: 0 0.3em; font-family: ui-monospace, monospace; font-size: 0.88em; }
.label { font-size: 0.82rem; color: var(--quiet); margin: 0.9rem 0 0.25rem; }
pre { margin: 0; background: var(--code); border-radius: 8px; padding: 0.75rem 0.9rem; font: 0.84rem/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
code { font: 0.88em ui-monospace, monospace; }
.fix { margin: 0.9rem 0 0.4rem; }
details summary { cursor: pointer; color: var(--quiet); font-size: 0.9rem; margin-top: 0.6rem; }
details pre { margin-top: 0.5rem; }
.legend { display: flex; flex-wrap: wrap; align-items: center; gap: 0.4rem 0.6rem; }
.tables { display: grid; grid-template-columns: repeat(auto-fill, minmax(25rem, 1fr)); gap: 1rem; align-items: start; }
.table { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1rem 1.2rem; margin: 0; min-width: 0; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; } .table > table { table-layout: fixed; } .table > table th:first-child { width: 42%; }
th { text-align: left; font-weight: 400; padding: 0.28rem 0.6rem 0.28rem 0; } thead th { color: var(--quiet); font-size: 0.82rem; }
td { padding: 0.28rem 0.6rem 0.28rem 0; } tbody tr + tr { border-top: 1px solid var(--line); }
.cell { display: inline-block; width: 1.15rem; height: 1.15rem; border-radius: 5px; vertical-align: middle; background: var(--none); }
.cell.all { background: var(--all); } .cell.some { background: linear-gradient(135deg, var(--all) 50%, var(--none) 50%); }
.cell.unknown { background: repeating-linear-gradient(45deg, var(--unknown) 0 3px, var(--none) 3px 6px); }
.cell.written { outline: 2px solid var(--ink); outline-offset: 1px; }
.scroll { overflow-x: auto; } table.fields { max-width: none; width: auto; }
table.fields thead th { writing-mode: vertical-rl; transform: rotate(180deg); padding: 0.4rem 0.2rem; text-align: left; white-space: nowrap; }
table.fields thead th:first-child { writing-mode: horizontal-tb; } table.fields tbody th { white-space: nowrap; }
.plain { list-style: none; padding: 0; margin: 0; } .plain li { padding: 0.5rem 0; border-top: 1px solid var(--line); }
.probes { display: flex; flex-wrap: wrap; gap: 0.4rem; } .probes span { background: var(--card); border: 1px solid var(--line); border-radius: 999px; padding: 0.1rem 0.7rem; font-size: 0.85rem; color: var(--quiet); } .probes b { color: var(--ink); font-weight: 600; }
`;

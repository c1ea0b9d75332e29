// The look of the report's page.

/** CSS of the page; colours follow the reader's system. */
export const pageStyle = `
:root { --paper: #fbfaf7; --ink: #1d2429; --quiet: #5a666e; --line: #e2ded4; --card: #ffffff;
  --all: #1f7a5a; --some: #8cc3a8; --none: #8d8879; --unknown: #a8710a; --bad: #b3261e; --badbg: #fbe9e7; --mark: #fff1c2; --code: #f3f0e9; }
@media (prefers-color-scheme: dark) { :root { --paper: #12171b; --ink: #e6e9ea; --quiet: #93a0a8; --line: #2a3238; --card: #191f24;
  --all: #46b58b; --some: #2b6650; --none: #69767f; --unknown: #d29a1c; --bad: #ff8a80; --badbg: #34191a; --mark: #574612; --code: #0e1316; } }
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
.proof code, .proof mark { overflow-wrap: anywhere; }
mark { background: var(--mark); color: inherit; border-radius: 4px; padding: 0 0.3em; font-family: ui-monospace, monospace; font-size: 0.88em; }
.label { font-size: 0.82rem; color: var(--quiet); margin: 0.9rem 0 0.25rem; }
pre { margin: 0; background: var(--code); border-radius: 8px; padding: 0.75rem 0.9rem; font: 0.84rem/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
code { font: 0.88em ui-monospace, monospace; }
.fix { margin: 0.9rem 0 0.4rem; }
details summary { cursor: pointer; color: var(--quiet); font-size: 0.9rem; margin-top: 0.6rem; }
details pre { margin-top: 0.5rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0.4rem 1.2rem; } .legend span { white-space: nowrap; } .legend .cell { margin-right: 0.45rem; }
.tables { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(25rem, 100%), 1fr)); gap: 1rem; align-items: start; }
.table { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1rem 1.2rem; margin: 0; min-width: 0; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; } .table > table { table-layout: fixed; } .table > table th:first-child { width: 42%; }
th { text-align: left; font-weight: 400; padding: 0.28rem 0.6rem 0.28rem 0; } thead th { color: var(--quiet); font-size: 0.82rem; }
td { padding: 0.28rem 0.6rem 0.28rem 0; } tbody tr + tr { border-top: 1px solid var(--line); }
.cell { display: inline-block; width: 1.15rem; height: 1.15rem; border-radius: 5px; vertical-align: middle; border: 1.5px solid var(--none); }
.cell.all { background: var(--all); border-color: var(--all); } .cell.some { background: linear-gradient(135deg, var(--all) 50%, transparent 50%); border-color: var(--all); }
.cell.unknown { background: repeating-linear-gradient(45deg, var(--unknown) 0 3px, transparent 3px 6px); border-color: var(--unknown); }
.cell.written { outline: 2px solid var(--ink); outline-offset: 1px; }
.scroll { overflow-x: auto; } table.fields { max-width: none; width: auto; }
table.fields thead th { vertical-align: bottom; } table.fields thead th span:not(.aside) { writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; } table.fields tbody th { white-space: nowrap; }
.aside { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.small { font-size: 0.88rem; } .code.calm { color: var(--quiet); }
a { color: inherit; text-decoration-color: var(--quiet); text-underline-offset: 0.2em; } :target { scroll-margin-top: 1rem; } a:hover { text-decoration-color: currentColor; }
:focus-visible { outline: 2px solid var(--ink); outline-offset: 2px; border-radius: 4px; }
.contents { margin: 1.75rem 0 0; padding-left: 1.4rem; } .contents li { padding: 0.15rem 0; } .contents a { text-decoration: none; } .contents a:hover { text-decoration: underline; }
.people { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1.25rem; margin: 0; } .people div { display: contents; } .people dt { font-weight: 600; } .people dd { margin: 0; color: var(--quiet); }
.plain { list-style: none; padding: 0; margin: 0; } .plain li { padding: 0.5rem 0; border-top: 1px solid var(--line); }
.probes { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.4rem; } .probes li { background: var(--card); border: 1px solid var(--line); border-radius: 999px; padding: 0.1rem 0.7rem; font-size: 0.85rem; color: var(--quiet); } .probes b { color: var(--ink); font-weight: 600; }
@media (max-width: 40rem) { main { padding: 1.5rem 1rem 3rem; } h1 { font-size: 1.6rem; } .table, .hole { padding: 0.9rem 1rem; }
  .table > table th:first-child { width: 34%; } .table > table thead th { font-size: 0.76rem; padding-right: 0.2rem; } .people { grid-template-columns: 1fr; gap: 0; } .people dd { margin-bottom: 0.5rem; } }
@media print { details::details-content { content-visibility: visible; display: block; } .hole, .table { break-inside: avoid; } body { background: none; } }
`;

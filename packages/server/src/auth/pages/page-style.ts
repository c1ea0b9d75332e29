// How the pages look: one small sheet, sent inside each page (its digest is in the page's policy). An app changes it by
// the variables on :root, or adds its own sheet, keelson/auth.css, which comes after this one.

/** The sheet. Contrast is 4.5:1 or better for text and 3:1 for edges of controls, in light and dark. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --page: light-dark(#f6f7f9, #14161a);
  --card: light-dark(#ffffff, #1d2026);
  --text: light-dark(#1a1d21, #eceef1);
  --quiet: light-dark(#565d66, #a5adb8);
  --edge: light-dark(#868e99, #767e8a);
  --line: light-dark(#e2e5e9, #33383f);
  --accent: light-dark(#1f5fbf, #8db8ff);
  --on-accent: light-dark(#ffffff, #0d1420);
  --danger: light-dark(#b3261e, #ff9d95);
  --good: light-dark(#1a6b3c, #7fd6a3);
  --font: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  --radius: 10px;
  --width: 26rem;
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.5 var(--font); }
main { max-width: var(--width); margin: 8vh auto 4rem; padding: 0 1rem; }
main.wide { --width: 42rem; margin-top: 4vh; }
.app { margin: 0 0 1rem; font-weight: 600; color: var(--quiet); }
.app a { color: inherit; text-decoration: none; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); padding: 1.5rem; }
.card + .card { margin-top: 1rem; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .75rem; }
h1 + h2 { margin-top: 0; }
p { margin: 0 0 1rem; }
p:last-child, ul:last-child, form:last-child { margin-bottom: 0; }
a { color: var(--accent); }
label { display: block; font-weight: 500; margin-bottom: .25rem; }
.hint, .quiet { color: var(--quiet); font-size: .9rem; }
.hint { margin-top: .35rem; }
.field { margin-bottom: 1rem; }
dl { margin: 0 0 1rem; }
dd { margin: 0 0 .5rem; }
input[type=text], input[type=email], input[type=password], select {
  width: 100%; padding: .6rem .75rem; font: inherit; color: inherit;
  background: var(--card); border: 1px solid var(--edge); border-radius: calc(var(--radius) - 4px);
}
input.code { font: 1.4rem/1.5 ui-monospace, monospace; letter-spacing: .3em; text-align: center; }
button, .button {
  display: inline-block; padding: .6rem 1rem; font: inherit; font-weight: 600; cursor: pointer; text-align: center;
  text-decoration: none; border-radius: calc(var(--radius) - 4px); border: 1px solid var(--accent);
  background: var(--accent); color: var(--on-accent);
}
button.plain, .button.plain { background: none; color: var(--accent); border-color: var(--edge); }
button.danger { background: none; color: var(--danger); border-color: var(--danger); }
.whole { display: block; width: 100%; }
.whole ~ .whole, form + form, form + .whole { margin-top: .75rem; }
form + .quiet, .whole ~ .quiet, p[hidden] + .quiet { margin-top: 1rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.notice { padding: .75rem 1rem; margin: 0 0 1rem; border-left: 4px solid var(--good); background: var(--page); }
.notice.bad { border-color: var(--danger); }
.or { display: flex; align-items: center; gap: .75rem; margin: 1.25rem 0; color: var(--quiet); font-size: .9rem; }
.or::before, .or::after { content: ""; flex: 1; border-top: 1px solid var(--line); }
ul.rows { list-style: none; padding: 0; margin: 0 0 1rem; }
ul.rows > li { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; justify-content: space-between; padding: .75rem 0; border-top: 1px solid var(--line); }
ul.rows > li:first-child { border-top: 0; }
ul.rows .what { flex: 1 1 14rem; min-width: 0; overflow-wrap: anywhere; }
ul.rows form { margin: 0; }
.side { display: flex; gap: .5rem; flex-wrap: wrap; align-items: end; }
.side .field { flex: 1 1 10rem; margin: 0; }
nav { margin-bottom: 1.25rem; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; margin: 0; }
nav a[aria-current] { color: var(--text); font-weight: 600; text-decoration: none; }
code, .codes { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
.codes { columns: 2; list-style: none; padding: 0; }
.gone { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
[hidden] { display: none !important; }
`;

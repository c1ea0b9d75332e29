// Pages of React and of Preact in a small DOM, against a whole server.
import type { TestContext } from "node:test";
import { Window } from "happy-dom";
import type { LiveHooks } from "@keelson/sdk/hooks";
import { openLiveScene } from "./live-scene.ts";

export const window = new Window({ url: "http://localhost/" });
// Frameworks look for these when they are loaded, so they are imported after.
Object.assign(globalThis, { window, document: window.document });
const react = await import("react");
const { createRoot } = await import("react-dom/client");
const preact = await import("preact/compat");
const reactHooks = await import("keelson/react");
const preactHooks = await import("keelson/preact");

type Props = Readonly<Record<string, unknown>> | null;

/** What the tests need of a framework. */
export interface Framework {
  readonly hooks: LiveHooks;
  create(kind: unknown, props: Props, ...children: unknown[]): unknown;
  readonly strict: unknown;
  useState<T>(initial: T): readonly [T, (next: T) => void];
  useEffect(effect: () => void): void;
  render(element: unknown, into: Element): () => void;
}

/** Both, by name. */
export const frameworks: Readonly<Record<string, Framework>> = {
  React: {
    hooks: reactHooks,
    create: react.createElement as Framework["create"],
    strict: react.StrictMode,
    useState: react.useState,
    useEffect: react.useEffect,
    render: (element, into) => {
      const root = createRoot(into);
      root.render(element as never);
      return () => root.unmount();
    },
  },
  Preact: {
    hooks: preactHooks,
    create: preact.createElement,
    strict: preact.StrictMode,
    useState: preact.useState,
    useEffect: preact.useEffect,
    render: (element, into) => {
      preact.render(element as never, into);
      return () => preact.unmountComponentAtNode(into);
    },
  },
};

/** A server with four accounts and a tally, and an empty page. */
export async function openPage(context: TestContext) {
  const scene = await openLiveScene(context);
  const sure = scene.direct();
  await sure.bank.open({ count: 4 });
  await sure.tally.create({ name: "t", value: 0 });
  const box = window.document.createElement("div");
  window.document.body.append(box);
  const text = (name: string) => box.querySelector(`.${name}`)?.textContent ?? null;
  const click = (name: string) =>
    (box.querySelector(`.${name}`) as { click(): void } | null)?.click();
  return { ...scene, sure, box: box as unknown as Element, text, click };
}

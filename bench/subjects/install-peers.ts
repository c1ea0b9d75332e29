// Installs what a benchmark compares with into a temporary folder, never into the project.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

/**
 * Runs npm under this Node, so that a package which asks for its version gets the right answer.
 * @param packages `name@version`, exact. @returns the folder that holds node_modules; kept between runs.
 * @throws when npm fails.
 */
export async function installPeers(packages: readonly string[]): Promise<string> {
  const folder = join(
    tmpdir(),
    `keelson-bench-peers-${packages.join("+").replaceAll(/[^a-z0-9.+@-]/g, "_")}`,
  );
  const stamp = join(folder, "installed");
  if (existsSync(stamp)) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const bin = dirname(process.execPath);
  const { status } = spawnSync(
    "npm",
    ["install", "--no-audit", "--no-fund", "--save-exact", ...packages],
    {
      cwd: folder,
      stdio: ["ignore", 2, 2],
      shell: process.platform === "win32",
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` },
    },
  );
  if (status !== 0) throw new Error(`npm could not install ${packages.join(", ")}`);
  writeFileSync(stamp, "");
  return folder;
}

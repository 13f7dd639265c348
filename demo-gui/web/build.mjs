// Bundles the page: `node build.mjs [FOLDER]`, by default into dist/, which is committed and built into the app.
import { build } from 'esbuild';
import { copyFile, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, gzipSync } from 'node:zlib';

const HERE = dirname(fileURLToPath(import.meta.url));
const TARGETS = ['chrome111', 'firefox113', 'safari16.4'];

/** The package of a bundled file: the last `node_modules/NAME` or `node_modules/@SCOPE/NAME` of its path. */
function packageOf(path) {
  const match = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
  return match && match[1];
}

/** The licences of every package whose code is in the bundle. */
async function licences(names) {
  const parts = ['The page of the notes app contains these packages.\n'];
  for (const name of names) {
    const folder = join(HERE, 'node_modules', name);
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${name} has no licence file`);
    parts.push(`${'='.repeat(78)}\n${name} ${version}\n\n${(await readFile(join(folder, file), 'utf8')).trim()}\n`);
  }
  return parts.join('\n');
}

const output = process.argv[2] ?? join(HERE, 'dist');
await mkdir(output, { recursive: true });
const result = await build({
  absWorkingDir: HERE,
  entryPoints: { app: 'src/main.js', style: 'src/app.css' },
  outdir: output,
  bundle: true,
  minify: true,
  format: 'esm',
  target: TARGETS,
  charset: 'utf8',
  legalComments: 'none',
  metafile: true,
  write: false,
  logLevel: 'warning',
});
const bundled = (suffix) => result.outputFiles.find((file) => file.path.endsWith(suffix)).contents;
const smallest = { level: constants.Z_BEST_COMPRESSION };
await writeFile(join(output, 'app.js.gz'), gzipSync(bundled('.js'), smallest));
await writeFile(join(output, 'app.css'), bundled('.css'));
for (const file of ['index.html', 'icon.svg']) await copyFile(join(HERE, 'src', file), join(output, file));
const used = new Set(Object.keys(result.metafile.inputs).map(packageOf).filter(Boolean));
await writeFile(join(output, 'licences.txt'), await licences([...used].sort()));

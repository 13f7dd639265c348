// CodeMirror's rules go into a constructed style sheet: `default-src 'self'` forbids <style> elements.

import { StyleModule } from 'style-mod';

const mountElement = StyleModule.mount;
let sheet = null;

StyleModule.mount = (root, modules, options) => {
  if (!('adoptedStyleSheets' in document)) return mountElement(root, modules, options);
  if (sheet === null) {
    sheet = new CSSStyleSheet();
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }
  sheet.replaceSync(
    [modules]
      .flat()
      .map((module) => module.getRules())
      .join('\n'),
  );
};

// What is looked for in the JavaScript of pages. It imports nothing, so that `npx eslint -c` finds all it needs.
const globals = Object.fromEntries(
  [
    "AbortController", "Blob", "CSS", "DOMParser", "DataTransfer", "Event", "File", "FileReader", "Image", "ImageData", "IntersectionObserver",
    "KeyboardEvent", "Path2D", "PointerEvent", "ResizeObserver", "TextDecoder", "TextDecoderStream", "TextEncoder", "URL", "URLSearchParams",
    "WebGL2RenderingContext", "Worker", "addEventListener", "atob", "btoa", "cancelAnimationFrame", "clearInterval", "clearTimeout",
    "console", "createImageBitmap", "crypto", "devicePixelRatio", "document", "fetch", "getComputedStyle", "history", "innerHeight",
    "innerWidth", "localStorage", "location", "matchMedia", "navigator", "performance", "queueMicrotask", "removeEventListener",
    "requestAnimationFrame", "scrollTo", "sessionStorage", "setInterval", "setTimeout", "structuredClone", "window", "HTMLElement", "Node",
    "XMLSerializer", "OffscreenCanvas", "Response", "CompressionStream", "DecompressionStream",
  ].map((name) => [name, "readonly"]),
);
const rules = Object.fromEntries(
  [
    "array-callback-return", "constructor-super", "eqeqeq", "for-direction", "getter-return", "no-async-promise-executor", "no-class-assign",
    "no-compare-neg-zero", "no-cond-assign", "no-const-assign", "no-constant-binary-expression", "no-control-regex", "no-debugger",
    "no-dupe-args", "no-dupe-class-members", "no-dupe-else-if", "no-dupe-keys", "no-duplicate-case", "no-empty-pattern", "no-eval",
    "no-ex-assign", "no-fallthrough", "no-func-assign", "no-implied-eval", "no-import-assign", "no-invalid-regexp", "no-new-func",
    "no-obj-calls", "no-redeclare", "no-self-assign", "no-self-compare", "no-shadow-restricted-names", "no-sparse-arrays", "no-this-before-super",
    "no-throw-literal", "no-undef", "no-unreachable", "no-unsafe-finally", "no-unsafe-negation", "no-unused-labels", "no-unused-vars",
    "no-use-before-define", "no-useless-catch", "no-useless-escape", "no-var", "no-with", "prefer-const", "require-yield", "use-isnan", "valid-typeof",
  ].map((name) => [name, "error"]),
);
// A function may be used above the line that defines it; a constant may be by a function that is called later.
rules["no-use-before-define"] = ["error", { functions: false, variables: false, classes: false }];
// No element is ever made from a string of HTML.
rules["no-restricted-properties"] = ["error", ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({ property, message: "Make elements with el() of dom.js." }))];

export default [
  { files: ["evoart/studio/web/**/*.js"], languageOptions: { ecmaVersion: 2023, sourceType: "module", globals }, rules },
  { files: ["evoart/gallery/web/*.js"], languageOptions: { ecmaVersion: 2023, sourceType: "script", globals }, rules },
];

// The element as a module, for other projects.
export * from "./element";
export { extras } from "./extras";

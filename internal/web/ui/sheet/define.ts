// The element for a page that loads one plain script: it registers itself.
import { defineSheet } from "./element";
import { extras } from "./extras";

defineSheet(extras);

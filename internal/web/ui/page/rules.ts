// The rule engine, and the list of what it finds. The form page fetches them together
// with the rules when it is up: until then marks come from the server, and nobody waits.
import { FaultList } from "./lib/faults";
import { askReason } from "./lib/reason";
import { Cross } from "../rules/cross";
import { Rules, today } from "../rules/rules";

const engine = { Rules, Cross, today, FaultList, askReason };

declare global {
  interface Window {
    tbRules: typeof engine;
  }
}

window.tbRules = engine;

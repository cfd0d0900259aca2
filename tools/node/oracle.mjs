// A second opinion on identifiers for the Go tests: reads one JSON object a line,
// {"kind": "...", "value": "..."}, and writes true or false a line, as util-helpers
// answers. The tests list the differences and their reasons.
import { createInterface } from "node:readline";
import helpers from "util-helpers";

const { isIdCard, isSocialCreditCode, isMobile, isChinese } = helpers;

const answers = {
  resident: (v) => isIdCard(v),
  credit: (v) => isSocialCreditCode(v),
  mobile: (v) => isMobile(v),
  han: (v) => isChinese(v, { useExtend: true }),
};

const out = [];
for await (const line of createInterface({ input: process.stdin })) {
  const { kind, value } = JSON.parse(line);
  out.push(String(answers[kind](value)));
}
process.stdout.write(out.join("\n") + "\n");

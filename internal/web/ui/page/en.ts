// English, loaded only where the page is in English: what the scripts say, and what
// the server says to them, looked up by the Chinese that both speak.
import messages from "../words/en/messages.json";
import script from "../words/en/script.json";
import { Speaker } from "../sheet/words";

const exact = new Map<string, string>([...Object.entries(messages), ...Object.entries(script as Record<string, string>)]);

// Sentences with places in them, as they come from the server: filled in. The more a
// pattern says of itself, the earlier it is tried; the same rule as in words.go.
const patterns = Object.entries(messages)
  .filter(([from]) => /\{\w+\}/.test(from))
  .sort(([a], [b]) => b.length - a.length)
  .map(([from, to]) => ({
    names: (from.match(/\{\w+\}/g) || []) as string[],
    re: new RegExp("^" + from.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\w+\}/g, "(.*?)") + "$", "s"),
    to,
  }));

const speak: Speaker = (sentence) => {
  const found = exact.get(sentence);
  if (found !== undefined) return found;
  for (const { re, names, to } of patterns) {
    const m = re.exec(sentence);
    if (m) return names.reduce((s, name, i) => s.split(name).join(speak(m[i + 1])), to);
  }
  return sentence;
};

(window as { tbSpeak?: Speaker }).tbSpeak = speak;

/** Gives a sentence in the language of the page; nobody there: it stays as it is. */
export type Speaker = (sentence: string) => string;

interface Tongue {
  tbSpeak?: Speaker;
}

/**
 * What is said to people, by its Chinese sentence: `t("共 {0} 行", n)`. Chinese costs
 * nothing but this call; another language is a script that sets `window.tbSpeak`
 * before this one runs. Sentences of the server pass through here too.
 */
export function t(sentence: string, ...args: (string | number | undefined)[]): string {
  const speak = (window as Tongue).tbSpeak;
  const s = speak ? speak(sentence) : sentence;
  return args.length ? s.replace(/\{(\d)\}/g, (_, i) => String(args[Number(i)])) : s;
}

// The import dialog's script, which the form page fetches when the dialog is first
// asked for: who only fills in does not wait for it.
import { Importer, ImportHost } from "./lib/importer";

let importer: Importer | null = null;
document.addEventListener("tb-import", (e) => {
  importer = importer || new Importer((e as CustomEvent<ImportHost>).detail);
  importer.show();
});

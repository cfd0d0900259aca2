// What the scripts that come later share with the first: webbuild puts these modules, by
// their names here, in the place of copies of their own (cmd/webbuild/shared.go).
import * as format from "../../sheet/format";
import * as list from "../../sheet/list";
import * as text from "../../sheet/text";
import * as words from "../../sheet/words";
import * as api from "./api";
import * as dom from "./dom";

(window as { tbShared?: object }).tbShared = { api, dom, format, list, text, words };

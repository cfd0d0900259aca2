// The sign-in page: who has just signed out leaves nothing in this browser.
import { forget, openStore } from "./lib/journal";

const left = /[?&]left=([0-9a-f]{16})(&|$)/.exec(location.search);
if (left) void openStore().then((db) => forget(db, left[1]), () => undefined);

// The form page's script: the sheet element.
import { defineSheet } from "../sheet/element";

defineSheet();

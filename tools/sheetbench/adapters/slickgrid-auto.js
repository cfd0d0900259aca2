import { slick } from "./slickgrid.js";
export default slick(true);

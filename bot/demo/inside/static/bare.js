/** The look inside on a page of its own: a second window, and the tests. */

import { mount } from "./inside.js";

const place = document.getElementById("inside");
if (place) mount(place);

"use strict";
// Sends the answer on to the app. Without script, the button does.
document.getElementById("answer").submit();

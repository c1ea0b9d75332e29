// Isolates with the app loaded, on machines that stand still at times. The limit of loading is a time of the clock:
// isolated-vm knows no other. Where the thread had little of the CPU in it, the machine broke the limit and not the app.
import { IsolatedApp, type IsolatePorts } from "./isolated-app.ts";
import type { IsolateImage } from "./isolate-image.ts";
import { LoadStarved } from "./isolate-load.ts";

const attemptsMax = 5;

/** Makes an isolate and loads the app, once more where the machine stood still. @throws AppInvalid as IsolatedApp does. */
export function openIsolate(image: IsolateImage, ports: IsolatePorts): IsolatedApp {
  for (let made = 1; ; made++) {
    try {
      return new IsolatedApp(image, ports);
    } catch (error) {
      if (!(error instanceof LoadStarved)) throw error;
      if (made === attemptsMax) throw error.mistake;
    }
  }
}

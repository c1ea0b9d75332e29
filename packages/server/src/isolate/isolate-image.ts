// What every isolate of one bundle starts from: the guest's snapshot, the bundle with V8's compiled form of
// it, the names of its functions, and its source map.
import type ivm from "isolated-vm";
import type { Bundle } from "./app-isolate.ts";
import { BundleMap } from "./bundle-map.ts";
import { guestCode, type GuestCode } from "./guest-code.ts";

/** A bundle, ready to be loaded into isolates. */
export class IsolateImage {
  readonly bundle: Bundle;
  readonly guest: GuestCode;
  readonly map: BundleMap;
  /** V8's compiled form, left by the first isolate that loaded it. */
  compiled: ivm.ExternalCopy<ArrayBuffer> | null = null;

  private constructor(bundle: Bundle, guest: GuestCode) {
    this.bundle = bundle;
    this.guest = guest;
    this.map = new BundleMap(bundle);
  }

  /** Makes the image of a bundle. */
  static async of(bundle: Bundle): Promise<IsolateImage> {
    return new IsolateImage(bundle, await guestCode());
  }
}

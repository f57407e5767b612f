/** Says a manifest's exports in fewer words. */
export function shortExports(exports: Readonly<Record<string, unknown>>): Record<string, unknown>

/**
 * Stands in for `weald`, the debug log behind `@libp2p/logger`: lines with addresses and peer ids that anybody with access to the
 * page could turn on (`localStorage.debug`). Nothing is ever written. The shape is what `@libp2p/logger` uses of it.
 */
const silent = (namespace: string) =>
  Object.assign(() => undefined, {
    namespace,
    enabled: false,
    color: '',
    diff: 0,
    log: () => undefined,
    destroy: () => true,
    extend: (name: string) => silent(`${namespace}:${name}`),
    useColors: () => false,
  })

export default Object.assign(silent, {
  enabled: () => false,
  enable: () => undefined,
  disable: () => '',
  names: [],
  formatters: {},
})

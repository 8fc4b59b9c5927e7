/** Limits that every implementation shares. Each has its reason; a change of one is a change of the protocol. */

export const kib = 1024
export const secondMs = 1_000
export const minuteMs = 60 * secondMs
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs

/** 64 KiB: a long text with its padding fits, and a full mailbox stays under 200 MB; larger things are blobs. */
export const maxEnvelopeBytes = 64 * kib

/** 30 days: longer than a holiday. Everything a waiting message needs (prekeys, skipped keys) must outlive it. */
export const mailboxRetentionMs = 30 * dayMs

/** 48 hours: bounds how long a stolen signed prekey helps, at little cost. */
export const signedPrekeyRotationMs = 2 * dayMs

/** 45 days from replacement: the longest a message can wait, plus the clocks and delays of both sides. */
export const signedPrekeyRetentionMs = 45 * dayMs

/** 100 of each kind: a month of new contacts between two visits. */
export const oneTimePrekeysPerRelay = 100

/** 20: low enough to be rare, high enough that a burst of new contacts does not empty the set. */
export const oneTimePrekeysLow = 20

/** 16 KiB of UTF-8: some pages of text, and still one envelope with its padding and headers. */
export const maxTextBytes = 16 * kib

/** 64 UTF-16 code units for a display name: fits one line of every screen. */
export const maxNameLength = 64

/** Multiaddrs of browsers' relays are under 200 characters; 512 leaves room for new transports. */
export const maxAddressLength = 512

/** A relay announces WebSocket and webrtc-direct on a few interfaces, not more. */
export const maxAddressesPerRelay = 8

/** More than three mailboxes would multiply traffic without making loss less likely. */
export const maxRelaysPerAccount = 3

/** 64 KiB: about 150 entries of an account log; a device a month for a decade. */
export const maxLogBytes = 64 * kib

/** 16: phone, tablets, computers and some to spare; every message is encrypted once per device. */
export const maxDevicesPerAccount = 16

/** 500 ids per call: about 10 KB, so that one call never stalls a stream. */
export const maxIdsPerCall = 500

/** 150 ms between two looks: quick for a person, light on a phone's battery. */
const pauseMs = 150
/** Frames are read at 1,280 pixels or less: an invite's code has more than a hundred modules a side. */
const longestSidePx = 1_280

/** The decoder is loaded on first use. The system's own detector exists in too few browsers to lean on. */
const loadReader = async (): Promise<(source: HTMLCanvasElement) => Promise<string | undefined>> => {
  const { BarcodeDetector } = await import('qr/decode.js')
  const detector = new BarcodeDetector({ formats: ['qr_code'] })
  return async (source) => (await detector.detect(source))[0]?.rawValue
}

const frameOf = (video: HTMLVideoElement, canvas: HTMLCanvasElement): boolean => {
  const scale = Math.min(1, longestSidePx / Math.max(video.videoWidth, video.videoHeight))
  canvas.width = Math.round(video.videoWidth * scale)
  canvas.height = Math.round(video.videoHeight * scale)
  if (canvas.width === 0) return false
  canvas.getContext('2d', { willReadFrequently: true })?.drawImage(video, 0, 0, canvas.width, canvas.height)
  return true
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, pauseMs))

/**
 * Looks at a playing video until a code is found that `accept` takes, or until `signal` is aborted. `canvas` is scratch
 * space. Rejects only when the decoder cannot be loaded.
 */
export const readCodes = async (
  video: HTMLVideoElement,
  canvas: HTMLCanvasElement,
  accept: (text: string) => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> => {
  const read = await loadReader()
  let refused: string | undefined
  while (!signal.aborted) {
    // A frame in which nothing can be read is the normal case.
    const text = frameOf(video, canvas) ? await read(canvas).catch(() => undefined) : undefined
    if (signal.aborted) return
    if (text !== undefined && text !== refused) {
      if (await accept(text)) return
      refused = text
    }
    await pause()
  }
}

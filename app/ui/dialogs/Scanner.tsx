import { useEffect, useRef, useState } from 'preact/hooks'
import { readCodes } from './read-code.ts'

interface Props {
  readonly openCamera: () => Promise<MediaStream>
  /** @returns whether the code was what is looked for. */
  readonly onCode: (text: string) => Promise<boolean>
  readonly onFailed: (cause: unknown) => void
}

/** The camera's picture, searched for a QR code. The camera is on only while this is on screen. */
export const Scanner = ({ openCamera, onCode, onFailed }: Props) => {
  const video = useRef<HTMLVideoElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [live, setLive] = useState(false)
  useEffect(() => {
    const stop = new AbortController()
    let stream: MediaStream | null = null
    const release = () => stream?.getTracks().forEach((track) => track.stop())
    const run = async () => {
      stream = await openCamera()
      if (stop.signal.aborted || video.current === null || canvas.current === null) return release()
      video.current.srcObject = stream
      await video.current.play()
      setLive(true)
      await readCodes(video.current, canvas.current, onCode, stop.signal)
    }
    run().catch((cause: unknown) => {
      if (!stop.signal.aborted) onFailed(cause)
    })
    return () => {
      stop.abort()
      release()
    }
  }, [])
  return (
    <div class="scanner" aria-busy={!live}>
      <video ref={video} muted playsInline aria-label="Camera" />
      <canvas ref={canvas} hidden />
      <span class="scanner-frame" aria-hidden="true" />
    </div>
  )
}

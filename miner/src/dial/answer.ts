import type { DialRequest } from '@arbor/shared/dial/messages'
import type { Logger } from '@arbor/shared/log'
import { CERTIFICATE_HEADER, ENVELOPE_HEADER } from '@arbor/shared/protocol/limits'
import type { Service, StreamedAnswer, WholeAnswer } from '../service/types.ts'
import type { Outgoing } from './outgoing.ts'

/** Answers one question that came over a relay, as one that came over HTTP; unsealed ones are refused. */
export const answerOver = async (of: {
  readonly service: Service
  readonly request: DialRequest
  /** The relay, as its host is written. */
  readonly relay: string
  readonly outgoing: Outgoing
  readonly log: Logger
}): Promise<void> => {
  const { service, request, outgoing, log } = of
  try {
    const answer = await answerOf(service, request, of.relay, outgoing.gone)
    await outgoing.head(answer.head)
    if (answer.kind === 'whole') await outgoing.body(answer.body)
    else for await (const frame of answer.frames) await outgoing.body(frame)
    await outgoing.end()
  } catch (error) {
    if (outgoing.gone.aborted) return
    log.warn({ event: 'miner.dial_broken', relay: of.relay, error: String(error) }, 'an answer broke off')
    outgoing.breakOff()
  }
}

const answerOf = async (
  service: Service,
  request: DialRequest,
  relay: string,
  gone: AbortSignal,
): Promise<WholeAnswer | StreamedAnswer> => {
  const { method, path, envelope, certificate, asker, body } = request
  const rawHeaders = [
    ENVELOPE_HEADER,
    envelope,
    'content-length',
    String(body.length),
    ...(certificate === null ? [] : [CERTIFICATE_HEADER, certificate]),
  ]
  const remote = `${relay} ${asker}`
  const opened = await service.open({ method, path, rawHeaders, remote, sealedOnly: true }, gone)
  if (opened.kind === 'refused') return opened.answer
  if (opened.admitted.bodyLength === body.length) return service.answer(opened.admitted, body)
  opened.admitted.release()
  throw new Error(`the service expects ${opened.admitted.bodyLength} bytes of a body of ${body.length}`)
}

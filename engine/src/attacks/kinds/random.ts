import { FIELD } from '../../toploc.ts'
import type { AttackModule } from '../types.ts'

/** Bytes of a TOPLOC proof that name its modulus. */
const MODULUS_BYTES = 2

/** Answers with a smaller model and makes the proof up. */
export const random: AttackModule = {
  name: 'random',
  weights: 'sibling',
  needsHonest: false,
  does: 'answers with a smaller model, and sends random bytes in the shape of a proof',
  gains: 'all of the honest model’s work',
  caughtBy: ['fingerprint'],
  within: 2,
  start:
    ({ engine, random: bytes }) =>
    async (request, options) => {
      const answer = await engine.generate(request, options)
      const made = request.proof === 'toploc' ? polynomial : (proof: Buffer) => bytes(proof.length)
      const fingerprint = answer.fingerprint.map((proof) =>
        Buffer.from(made(Buffer.from(proof, 'base64'), bytes)).toString('base64'),
      )
      return { ...answer, fingerprint }
    },
}

/** Keeps the modulus, and draws each coefficient within the field. */
const polynomial = (proof: Buffer, bytes: (length: number) => Uint8Array): Uint8Array => {
  const drawn = Buffer.from(bytes(proof.length))
  for (let at = MODULUS_BYTES; at < drawn.length; at += 2) drawn.writeUInt16BE(drawn.readUInt16BE(at) % FIELD, at)
  proof.copy(drawn, 0, 0, MODULUS_BYTES)
  return drawn
}

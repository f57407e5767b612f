import type { CompatReport, Finding } from './compat.ts'
import { type Feature, features } from './needs/features.ts'

/**
 * Writes a report for people: what works, and of the rest what is otherwise and what to do.
 * @param of.all also lists what is as Arbor knows it
 */
export function reportText(report: CompatReport, of: { readonly all: boolean }): string {
  const { specName, specVersion, metadataVersion, findings } = report
  const works = (Object.keys(features) as Feature[]).filter((feature) => !report.broken.includes(feature))
  const counted = findings.filter(({ status }) => status === 'present' || status === 'other-width').length
  return [
    `${specName}, spec version ${specVersion}, metadata V${metadataVersion}: ${counted} of ${findings.length} things that Arbor uses are there`,
    `works   ${works.map((feature) => features[feature].title).join(', ') || 'nothing'}`,
    ...report.broken.flatMap((feature) => [
      `broken  ${features[feature].title}: ${features[feature].advice}`,
      ...findings.filter((finding) => isBad(finding) && finding.features.includes(feature)).map(badText),
    ]),
    ...findings.filter(({ status }) => status === 'replaced').map(replacedText),
    ...findings.filter(({ status }) => status === 'other-width').map(widthText),
    ...(of.all ? findings.filter(({ status }) => status === 'present').map(presentText) : []),
    report.ok ? 'A miner and a validator have all they need.' : 'A miner or a validator cannot work with this chain.',
  ].join('\n')
}

const isBad = ({ status }: Finding): boolean => status === 'missing' || status === 'changed'

const badText = ({ kind, name, status, found, expected }: Finding): string =>
  status === 'missing'
    ? `        missing ${kind} ${name}${expected}`
    : `        changed ${kind} ${name}: it is ${found}, Arbor knows ${expected}`

const replacedText = ({ kind, name, without }: Finding): string => `absent  ${kind} ${name}: ${without}`
const widthText = ({ kind, name, found, expected }: Finding): string =>
  `width   ${kind} ${name}: it is ${found}, Arbor knows ${expected}; encoded as the chain says`
const presentText = ({ kind, name, found }: Finding): string => `there   ${kind} ${name}${found}`

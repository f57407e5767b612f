import tiny from '@arbor/subnet-spec/inference-tiny'

/** The spec of the tests' nets, but that planning a question never ends: the fault of a subnet that its validators have to survive. */
export default {
  ...tiny,
  tasks: Object.fromEntries(
    Object.entries(tiny.tasks).map(([name, task]) => [
      name,
      {
        ...task,
        plan: () => {
          for (;;) Math.sqrt(2)
        },
      },
    ]),
  ),
}

/** The operand of the verbs for the services of containers. */
export const serviceNames = {
  label: 'NAME',
  count: 'some',
  description: "A container with a service, as 'atomic containers list -a' shows it.",
} as const;

// What shows that a runtime runs: it says what it hears.
export const main = async ({ input }) => ({ heard: input })

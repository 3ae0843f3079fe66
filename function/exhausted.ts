/** The system's codes for too few descriptors, buffers or memory. */
export const exhausted: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])

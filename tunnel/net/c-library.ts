const libraries: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'libc.so.6',
  darwin: 'libSystem.B.dylib',
}

/** The C library's name for `dlopen`; undefined where it is not known. Another one, musl say, may have another. */
export const cLibrary: string | undefined = libraries[process.platform]

/** The function as it would be deployed: built from the sources here, or carried inside the executable. */
export async function functionZip(): Promise<Uint8Array> {
  const { buildFunction } = await import('../function/build.ts')
  return (await buildFunction()).zip
}

import { partition } from '@aws-sdk/core/client'
import { customS3Endpoint } from '../../tunnel/signalling/s3-endpoint.ts'
import { didYouMean } from '../input/did-you-mean.ts'

/** What is wrong with a region's name, or undefined. AWS's regions are those that its SDK knows. */
export function wrongRegion(name: string): string | undefined {
  if (!/^[a-z]+(-[a-z]+)*-\d+$/.test(name))
    return `'${name}' is not the name of an AWS region, as eu-central-1 is${didYouMean(name, regions())}`
  // A server in AWS's place has regions of its own.
  if (customS3Endpoint() || isRegion(name)) return undefined
  return `there is no AWS region '${name}'${didYouMean(name, regions())}`
}

// --- internal ---

/** The SDK describes the regions that it knows, and guesses at the others. */
const isRegion = (name: string) => 'description' in partition(name)

const lands = 'af ap ap-nl ca cn eu eusc-de il me mx sa us us-gov'.split(' ')
const winds = 'central east north northeast northwest south southeast southwest west'.split(' ')

/** The SDK's list, which it keeps to itself but answers questions about. */
const regions = () =>
  lands
    .flatMap(land => winds.flatMap(wind => [1, 2, 3, 4, 5, 6, 7, 8, 9].map(n => `${land}-${wind}-${n}`)))
    .filter(isRegion)

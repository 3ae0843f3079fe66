import * as schema from '../schema.ts'
import { setting } from './setting.ts'

/** Where in AWS the exits are. */
export const awsSettings = {
  'aws.regions': setting<string[]>({
    schema: schema.regions,
    kind: 'list',
    default: [],
    flag: 'regions',
    flagAlias: 'region',
    keyAlias: 'aws.region',
    environment: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
    valueHint: 'a,b',
    about: 'AWS regions of the exits, separated by commas (default: the region of the AWS profile)',
    example: ['eu-central-1', 'us-east-1'],
  }),
  'aws.profile': setting<string | undefined>({
    schema: schema.text,
    kind: 'text',
    default: undefined,
    flag: 'profile',
    environment: ['AWS_PROFILE'],
    valueHint: 'name',
    about: 'Profile of ~/.aws/config to take credentials from (default: as the AWS CLI finds them)',
    example: 'default',
  }),
} as const

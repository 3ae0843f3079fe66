import { type TerraformResource, Token } from 'cdktf'

/** A Terraform expression as JSON carries it: a string wholly made of one interpolation. */
export const hcl = (expression: string) => `\${${expression}}`

// The provider's classes type each argument; an expression takes the place of a value of any of those types.
export const hclNumber = (expression: string) => Token.asNumber(hcl(expression))
export const hclList = (expression: string) => Token.asList(hcl(expression))
export const hclMap = (expression: string) => Token.asStringMap(hcl(expression))
export const hclBool = (expression: string) => Token.asAny(hcl(expression)) as unknown as boolean

/** An attribute of the instance of `resource` in the region at hand, for the arguments of another per-region resource. */
export const here = (resource: TerraformResource, attribute: string) =>
  hcl(`${addressOf(resource)}[each.key].${attribute}`)

/** An attribute of a resource that has a count and is there. */
export const only = (resource: TerraformResource, attribute: string) =>
  hcl(`${addressOf(resource)}[0].${attribute}`)

export const addressOf = (resource: TerraformResource) =>
  `${resource.terraformResourceType}.${resource.friendlyUniqueId}`

/** What a map by region holds for the region at hand; null when it names none. */
export const ofRegion = (variable: string) => `lookup(var.${variable}, each.key, null)`

/** A list or map in an expression. */
export const array = (values: readonly (string | number)[]) => JSON.stringify(values).replaceAll(',', ', ')

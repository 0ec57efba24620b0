/**
 * Cuts the kinds that deploy/kubernetes/ uses, and whatever they refer to, out of the API description of Kubernetes:
 *
 *     go mod download -json k8s.io/kubernetes@v1.36.3        prints the folder ("Dir")
 *     node test/deploy/schemas/cut-kubernetes-schema.ts <folder>/api/openapi-spec/swagger.json v1.36.3 > test/deploy/schemas/kubernetes.json
 *
 * Descriptions are left out. A field that no kind knows is refused, as `kubectl apply` refuses it.
 */
import { readFileSync } from 'node:fs';

type Schema = {
  readonly [key: string]: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly 'x-kubernetes-group-version-kind'?: readonly { group: string; version: string; kind: string }[];
};

const kinds = [
  'v1 ConfigMap',
  'v1 Namespace',
  'v1 Service',
  'apps/v1 Deployment',
  'autoscaling/v2 HorizontalPodAutoscaler',
  'batch/v1 Job',
  'networking.k8s.io/v1 Ingress',
  'networking.k8s.io/v1 NetworkPolicy',
  'policy/v1 PodDisruptionBudget',
];
/** A number or the name of a port. The description says `string` of it, which is the lesser half. */
const numberOrText = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';

const [file = '', version = ''] = process.argv.slice(2);
const { definitions } = JSON.parse(readFileSync(file, 'utf8')) as {
  definitions: Readonly<Record<string, Schema>>;
}; // As the specification of OpenAPI 2 says.

const wanted = new Map<string, unknown>();
const roots = Object.fromEntries(kinds.map((kind) => [kind, findKind(kind)]));
for (const name of Object.values(roots)) take(name);
const result = {
  $comment: `Out of api/openapi-spec/swagger.json of Kubernetes ${version}, Apache License 2.0, by cut-kubernetes-schema.ts.`,
  kinds: roots,
  definitions: Object.fromEntries([...wanted].toSorted(([a], [b]) => (a < b ? -1 : 1))),
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);

function findKind(kind: string): string {
  const found = Object.entries(definitions).find(([, schema]) =>
    schema['x-kubernetes-group-version-kind']?.some(
      (each) => `${each.group === '' ? '' : `${each.group}/`}${each.version} ${each.kind}` === kind,
    ),
  );
  if (found === undefined) throw new Error(`${file} has no ${kind}.`);
  return found[0];
}

function take(name: string): void {
  if (wanted.has(name)) return;
  const definition = definitions[name];
  if (definition === undefined) throw new Error(`${file} refers to ${name} and does not have it.`);
  wanted.set(name, name === numberOrText ? { type: ['integer', 'string'] } : null);
  if (name !== numberOrText) wanted.set(name, toStrict(definition));
}

/** The schema without words, and without room for fields that it does not name. */
function toStrict(schema: Schema): unknown {
  const entries = Object.entries(schema).flatMap(([key, value]) => {
    if (key === 'description' || key === 'format' || key.startsWith('x-kubernetes-')) return [];
    if (key === '$ref') take(String(value).replace('#/definitions/', ''));
    if (key === 'properties') {
      const properties = Object.entries(value as NonNullable<Schema['properties']>); // By the name of the key.
      return [[key, Object.fromEntries(properties.map(([name, each]) => [name, toStrict(each)]))]];
    }
    const isSchema = (key === 'items' || key === 'additionalProperties') && typeof value === 'object';
    return [[key, isSchema ? toStrict(value as Schema) : value]]; // As the specification says.
  });
  const closed = schema.properties === undefined ? [] : [['additionalProperties', false] as const];
  return Object.fromEntries([...entries, ...closed]);
}

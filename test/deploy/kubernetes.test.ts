/** The manifests against the schemas of Kubernetes, and against the rules of this project. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parseConfig } from '../../server/config.ts';
import { toConnectionNeeds } from '../../server/open-ledger.ts';
import { listManifestFiles, podsOf, readKustomization, readManifests } from './kubernetes-files.ts';

const manifests = readManifests();
const pods = podsOf(manifests);
const defaults = parseConfig({ argv: [], env: {} });
const { version } = JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../package.json'), 'utf8')) as {
  version: string;
}; // Our own file.

test('each manifest is one by the schema of its kind', () => {
  const { kinds, definitions } = JSON.parse(
    readFileSync(path.join(import.meta.dirname, 'schemas/kubernetes.json'), 'utf8'),
  ) as { kinds: Record<string, string>; definitions: object }; // As cut-kubernetes-schema.ts writes it.
  const ajv = new Ajv({ strict: false, allErrors: true }).addSchema({ $id: 'kubernetes', definitions });
  const faultsOf = (manifest: { apiVersion: string; kind: string }): unknown[] => {
    const validate = ajv.getSchema(`kubernetes#/definitions/${kinds[`${manifest.apiVersion} ${manifest.kind}`]}`);
    void validate?.(manifest);
    return validate === undefined ? ['This kind has no schema.'] : (validate.errors ?? []);
  };
  for (const manifest of manifests) expect(faultsOf(manifest), manifest.metadata.name).toEqual([]);
  const wrong = { apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicaz: 2 } };
  expect(faultsOf(wrong)).toContainEqual(expect.objectContaining({ params: { additionalProperty: 'replicaz' } }));
});

test('everything that a deployment needs is there, and every file is named', () => {
  expect(readKustomization().resources.toSorted()).toEqual(listManifestFiles().toSorted());
  expect(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted()).toEqual([
    'ConfigMap hustings',
    'Deployment hustings-api',
    'Deployment hustings-worker',
    'HorizontalPodAutoscaler hustings-api',
    'HorizontalPodAutoscaler hustings-worker',
    'Ingress hustings',
    `Job hustings-migrate-${version.replaceAll('.', '-')}`,
    'Namespace hustings',
    'NetworkPolicy hustings-to-its-services',
    'NetworkPolicy metrics-to-prometheus',
    'NetworkPolicy names',
    'NetworkPolicy nothing',
    'NetworkPolicy voters-to-api',
    'PodDisruptionBudget hustings-api',
    'PodDisruptionBudget hustings-worker',
    'Service hustings-api',
  ]);
});

test.for(pods)('the pods of $name run this version, and have neither root nor a way to more rights', ({ pod }) => {
  expect(pod).toMatchObject({
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
  });
  for (const { image, securityContext } of pod.containers) {
    expect(image).toBe(`hustings:${version}-slim`);
    expect(securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  }
  expect(readKustomization().images.map(({ newTag }) => newTag)).toEqual([`${version}-slim`]);
});

test('selectors find the pods that they mean', () => {
  const found = (selector: Readonly<Record<string, string>>): string[] =>
    pods
      .filter(({ labels }) => Object.entries(selector).every(([name, value]) => labels[name] === value))
      .map(({ name }) => name);
  for (const { kind, metadata, spec } of manifests) {
    if (kind === 'Service') expect(found(spec.selector ?? {})).toEqual([metadata.name]);
    const { matchLabels } = spec?.selector ?? {};
    if (matchLabels !== undefined) expect(found(matchLabels), kind).toEqual([metadata.name]);
    if (spec?.scaleTargetRef !== undefined) expect(spec.scaleTargetRef.name).toBe(metadata.name);
  }
  const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy');
  expect(
    Object.fromEntries(
      policies.map(({ metadata, spec }) => [metadata.name, found(spec.podSelector?.matchLabels ?? {}).length]),
    ),
  ).toEqual({
    nothing: 3,
    'voters-to-api': 1,
    names: 3,
    'hustings-to-its-services': 3,
    'metrics-to-prometheus': 3,
  });
});

test('a pod has the time to finish what it has begun, and one of each kind is left during repairs', () => {
  const drainSeconds = defaults.drainTimeoutMs / 1_000;
  for (const { name, pod } of pods) {
    if (name.startsWith('hustings-migrate')) continue;
    expect(pod.terminationGracePeriodSeconds ?? 0, name).toBeGreaterThanOrEqual(drainSeconds + 10);
  }
  for (const { kind, spec } of manifests) {
    if (kind === 'HorizontalPodAutoscaler') expect(spec.minReplicas).toBeGreaterThanOrEqual(2);
  }
});

test('at its largest, during an update, the installation fits into the connections that PostgreSQL has by default', () => {
  const [data] = manifests.flatMap(({ kind, data }) => (kind === 'ConfigMap' && data !== undefined ? [data] : []));
  const processes = manifests.reduce(
    (sum, { spec }) => sum + (spec?.maxReplicas === undefined ? 0 : spec.maxReplicas + 1),
    0,
  );
  const poolConnectionsMax = Number(data?.['HUSTINGS_POOL_CONNECTIONS_MAX']);
  const { each } = toConnectionNeeds({ ...defaults, poolConnectionsMax });
  const reserved = 3;
  expect(processes * each).toBeLessThanOrEqual(100 - reserved);
});

test('secrets are referred to and never written', () => {
  expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  for (const { env } of pods.flatMap(({ pod }) => pod.containers)) {
    for (const { name, value, valueFrom } of env) {
      const isSecret = /URL$|KEY|PASSWORD/u.test(name) && name !== 'HUSTINGS_PUBLIC_URL';
      if (isSecret) expect(value, name).toBeUndefined();
      if (valueFrom !== undefined) expect(valueFrom.secretKeyRef).toEqual({ name: 'hustings', key: name });
    }
  }
});

test('where an ingress stands in front, its pods are believed of whom they serve, and network rules keep others away', () => {
  const api = pods.find(({ name }) => name === 'hustings-api');
  const trusted = api?.pod.containers[0]?.env.find(({ name }) => name === 'HUSTINGS_TRUSTED_PROXIES')?.value ?? '';
  expect(parseConfig({ argv: [], env: { HUSTINGS_TRUSTED_PROXIES: trusted } }).trustedProxies).toEqual(['private']);
  expect(manifests.filter(({ metadata }) => metadata.name === 'voters-to-api')).toHaveLength(1);
});

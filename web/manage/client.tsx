import '../style/base.css';
import './manage.css';
import { startPage } from '../parts/hydrate.tsx';
import { managePage } from './page.tsx';

startPage(managePage);
